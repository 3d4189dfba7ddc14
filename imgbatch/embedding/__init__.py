"""The feature space: descriptors' codes become points."""
