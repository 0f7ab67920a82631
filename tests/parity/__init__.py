"""What the reference server does, said again as black-box cases that both servers are asked."""
