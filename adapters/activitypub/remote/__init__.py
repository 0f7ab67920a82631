"""Remote actors and objects, fetched with suspicion."""
