"""Nouns and identifiers: immutable, typed, without I/O."""
