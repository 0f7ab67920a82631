"""LDP verbs on containers and resources."""
