"""A finding as a person reads it: the report, the tree as text, and a regression test to paste."""
