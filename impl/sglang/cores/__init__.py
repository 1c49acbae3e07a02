"""The part of a cache that has the nodes: one protocol (`core`), and one module per kind of tree."""
