"""One decision for every credential: session tokens now, signatures of peers beside them."""
