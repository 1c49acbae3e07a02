"""Histories on disk: as JSON, in every format ever written, and the corpus of past findings."""
