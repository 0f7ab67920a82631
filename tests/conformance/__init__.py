"""Black-box suites that say how the pod keeps to a specification."""
