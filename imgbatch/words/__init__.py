"""Words and pictures: search by text, captions; learned from what is known of the folder."""
