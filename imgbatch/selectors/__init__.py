"""Pure functions of points: who goes into a set."""
