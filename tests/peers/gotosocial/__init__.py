"""A real GoToSocial beside the pod: people of both follow, post, answer, vote and leave."""
