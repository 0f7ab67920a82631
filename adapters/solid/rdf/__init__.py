"""RDF in and out: parsing, writing, vocabulary."""
