"""radix: a two-tier radix cache in torch, FULL and sliding-window KV, with asynchronous backup from device to host."""
