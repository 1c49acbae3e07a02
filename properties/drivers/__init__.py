"""What chooses the next operation: the Hypothesis state machine, the seeded soak, the baseline.

A new way to search goes here.
"""
