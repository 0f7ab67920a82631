"""Runs against real peers that are too long or too heavy for every check; started by hand."""
