"""From a table of ids or links to a clean folder of pictures with their metadata.

`prepare` goes through the table twice. The first pass lists the images that rows name in a small
database beside the result (`state`). Then pictures are made in worker processes (`pictures`), from
local files or from links that are downloaded first (`download`). The second pass writes every row
into ``metadata.csv`` or, with a reason, into ``dropped.csv``.
"""
