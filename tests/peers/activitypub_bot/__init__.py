"""The pod beside activitypub-bot, a server of bots."""
