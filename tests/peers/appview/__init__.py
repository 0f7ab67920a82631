"""The real Bluesky AppView beside the pod: it indexes, and serves back through the pod's proxy."""
