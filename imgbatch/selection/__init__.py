"""Which images go into a set, and why."""
