"""Numbered, forward-only changes of the tables; a migration imports nothing that changes."""
