"""The cases, a module for each corner of a PDS."""
