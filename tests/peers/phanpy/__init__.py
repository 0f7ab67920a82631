"""Phanpy, an everyday web app of Mastodon's client API, in a real browser at a member's pod."""
