"""The official Solid conformance features, run by an interpreter of our own."""
