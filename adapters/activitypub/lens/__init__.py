"""Lenses between nouns and ActivityStreams 2.0."""
