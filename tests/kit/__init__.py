"""What tests share: builders, peers and processes."""
