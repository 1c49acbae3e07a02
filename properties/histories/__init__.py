"""Histories on disk: as JSON, in every format ever written; the corpus; and how files are written."""
