"""One history on one system, step by step: performed, then judged, until something breaks.

Stored histories are run again in `replaying`.
"""
