"""Documents that other projects recorded of their peers, played to a pod through its real doors."""
