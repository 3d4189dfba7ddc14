"""From a folder of files to small upright pictures."""
