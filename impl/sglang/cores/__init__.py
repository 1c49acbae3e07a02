"""The part of a cache that has the nodes: a protocol (`core`), and a module per kind of tree."""
