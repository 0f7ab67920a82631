"""The ActivityPub wing: actors, inbox, outbox, deliveries."""
