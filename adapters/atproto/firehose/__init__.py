"""The event stream: frames and its outbox."""
