"""Keys: curves, did:key, and the ring that hands out signers."""
