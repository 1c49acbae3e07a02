"""Milestones: the situations that bugs need, and which of them a run has reached."""
