"""What ActivityPub peers ask for."""
