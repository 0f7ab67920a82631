"""Pure rooms of the repository: MST, commits, proofs, CAR files."""
