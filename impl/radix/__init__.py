"""radix: a two-tier radix cache in torch for FULL and sliding-window KV and MAMBA states, with asynchronous copies."""
