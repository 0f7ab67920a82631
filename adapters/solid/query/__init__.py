"""SPARQL queries over what the asker may read, answered by processes that can be ended."""
