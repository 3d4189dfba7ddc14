"""The local page: everything that imgbatch finds, to look at and to act on, in a browser.

`serving.serve` runs it on this machine alone. A screen is a file in ``screens/`` with a line in its
registry; it shows the records of `outputs.pages` through the same components as one-file pages.
Every page works without a script; scripts add keys, enlarged pictures, the map.
"""
