"""Notifications: who hears of changes, over which channel, and the way out."""
