"""Mastodon's client API: what a member's everyday app asks for, over the one write path."""
