"""In somebody's pytest run: the state machine as a test case, and the pytest plugin."""
