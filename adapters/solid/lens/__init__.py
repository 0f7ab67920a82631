"""Lenses between resources and RDF."""
