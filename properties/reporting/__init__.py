"""A finding told to a person: the report, the tree drawn, and a regression test to paste."""
