"""Configurations of small caches: pools of a few pages, so that something is always full (semantics 17.6).

What finds bugs is not volume but shape: constant pressure, windows and pages that do not divide each other, a threshold of one.
Every choice is made from small whole numbers, so that a seeded generator and Hypothesis can both make it.
"""

from __future__ import annotations

from random import Random

from radixproof.impl.system import Scope
from radixproof.model.config import Component, Config, EvictionPolicy

EVERYTHING = Scope()


def config(rng: Random, scope: Scope = EVERYTHING) -> Config:
    """A small cache within ``scope``: pools of a few pages, so that something is always full."""
    page_size = rng.choice((1, 1, 1, 2, 2, 3, 4))
    windowed = Component.SWA in scope.components and rng.random() < 0.7
    states = Component.MAMBA in scope.components and rng.random() < 0.45
    device = rng.randint(3, 10)
    host = rng.choice((rng.randint(2, device), device + 4, 3 * device))
    write_back = scope.write_back and rng.random() < 0.3
    if write_back and rng.random() < 0.5:
        host = rng.randint(2, 4)  # so that there is often no room for what has to be written back
    if scope.hostless and rng.random() < 0.05:
        host = 0
    window = rng.randint(1, 3 * page_size + 1)
    least_swa = -(-window // page_size) + rng.randint(
        0, 2
    )  # about one window: an engine has room for that
    shape = Config(
        page_size=page_size,
        window=window if windowed else None,
        device_pages=device + rng.choice((1, 4)),
        swa_pages=rng.choice((device + 4, rng.randint(2, device) + 4, least_swa))
        if windowed
        else 0,
        mamba_states=rng.randint(1, 5) if states else 0,
        host_pages=host,
        swa_host_pages=rng.choice((host, rng.randint(1, host))) if windowed and host else 0,
        mamba_host_states=rng.randint(1, 8) if states and host else 0,
        write_back=write_back and host > 0,
        threshold=rng.choice((1, 1, 1, 1, 2, 3)),
        eviction_policy=rng.choice(scope.eviction_policies)
        if rng.random() < 0.6
        else EvictionPolicy.LRU,
        load_threshold=rng.choice((1, 1, 1, 1, page_size + 1, 3 * page_size)),
        bigram=not states and scope.bigram and rng.random() < 0.15,
        ranks=2 if scope.ranks and rng.random() < 0.15 else 1,
    )
    return shape
