"""From a folder of files to small upright pictures.

`scan` lists the files, `decode` turns the bytes of a file into a small RGB view.
"""
