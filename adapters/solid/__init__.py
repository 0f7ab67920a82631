"""The Solid wing: LDP, WAC and linked-data views."""
