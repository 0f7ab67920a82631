"""The ATProto wing: XRPC, signed repositories, firehose, DIDs."""
