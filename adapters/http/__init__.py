"""The shared hall: egress, negotiation, preconditions, credentials, problems."""
