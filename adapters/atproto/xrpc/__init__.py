"""XRPC methods, one file a namespace corner."""
