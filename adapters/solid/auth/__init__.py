"""Signing in with a WebID: tokens of this server's and of other issuers."""
