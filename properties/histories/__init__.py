"""Histories on disk: as JSON, every format that was ever written, and the corpus of past findings."""
