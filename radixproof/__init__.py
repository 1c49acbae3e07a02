"""radixproof: find the bugs in the KV caches of LLM servers before they ship."""

__version__ = "0.1.0"
