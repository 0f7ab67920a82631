"""What goes out: audiences, the durable queue, the sender."""
