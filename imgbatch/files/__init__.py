"""Files and folders: their names, writing without harm, and where indexes lie."""
