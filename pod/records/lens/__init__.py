"""Lenses between record data and nouns."""
