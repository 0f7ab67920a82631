"""N3 Patch."""
