"""Who asks, and what they may do: agents, access control lists, the one policy."""
