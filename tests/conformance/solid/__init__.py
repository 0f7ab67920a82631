"""Every requirement of the Solid specifications, asked of this pod and of the reference server."""
