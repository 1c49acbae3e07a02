"""A two-tier radix cache in torch, with asynchronous copies between device and host.

It keeps KV of full and of sliding-window attention, and MAMBA states. The folder needs nothing but
torch and numpy: an engine gives it a `CacheConfig`, a `Memory`, two copy engines and, if it wants
to listen, `Events`. Notes such as (semantics 7.4) point to a section of radixproof's
docs/semantics.md.
"""
