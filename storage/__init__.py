"""The ports of the core on SQLAlchemy and an object store."""
