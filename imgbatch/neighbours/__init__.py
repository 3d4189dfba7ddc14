"""Exact nearest neighbours, of points in one array or in parts."""
