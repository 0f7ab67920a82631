"""JSON-LD as peers write it: contexts out, tolerant reading in."""
