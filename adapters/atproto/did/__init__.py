"""DID documents, PLC operations, handle resolution."""
