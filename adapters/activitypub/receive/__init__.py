"""What arrives: activities and what they do."""
