"""The well-known corner: WebFinger, host-meta, DID documents, identity verification."""
