"""Files and folders: names and URLs, writing in one step, handing out, where indexes are kept."""
