"""The authorisation server: clients, requests, tokens and what they permit, free of HTTP."""
