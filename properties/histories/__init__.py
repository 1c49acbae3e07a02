"""Histories on disk: as JSON, in every format ever written; the corpus; how a file is written."""
