"""Traces of live caches, as `radixproof.impl.recording` writes them, made into histories."""
