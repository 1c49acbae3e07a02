"""Our own cache as a system under test: what the harness needs, and the cache knows nothing of."""
