"""Configurations of small caches: pools of a few pages, so that something is always full (semantics
17.6).

What finds bugs is not volume but shape: constant pressure, windows and pages that do not divide
each other, a threshold of one. Every choice is made from small whole numbers, so that a seeded
generator and Hypothesis can both make it.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from radixproof.impl.operations import Decode, Prefill
from radixproof.impl.scope import Scope
from radixproof.impl.system import Unavailable
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.properties.generating.wide import tracked, widened

EVERYTHING = Scope(launches=(Prefill, Decode))

PAGE_SIZES = (1, 1, 1, 2, 2, 3, 4)

MOST_DRAWS = 1000
"""Draws after which a scope is taken to allow no configuration."""


def config(rng: Random, scope: Scope = EVERYTHING) -> Config:
    """A small cache within ``scope``. Raises `Unavailable` if there seems to be none."""
    for _ in range(MOST_DRAWS):
        drawn = _drawn(rng, scope)
        if scope.refuses(drawn) and drawn.hosted and not drawn.write_back and rng.random() < 0.25:
            drawn = _without_a_host(drawn)
        if not scope.refuses(drawn):
            return tracked(_with_more_states(widened(drawn, scope), scope), scope)
    raise Unavailable(
        f"no configuration within the scope was found in {MOST_DRAWS} draws: "
        f"the last one was refused for {scope.refuses(drawn)}"
    )


def plainest(scope: Scope) -> Config:
    """The default configuration, or the nearest to it that is within ``scope``."""
    hosted = scope.hosted
    return Config(
        page_size=1 if scope.page_sizes is None else min(scope.page_sizes),
        host_pages=Config().host_pages if hosted else 0,
        write_back=hosted and not scope.write_through,
        eviction_policy=EvictionPolicy.LRU
        if EvictionPolicy.LRU in scope.eviction_policies
        else scope.eviction_policies[0],
    )


def _drawn(rng: Random, scope: Scope) -> Config:
    """Draw one that is mostly within the scope."""
    page_size = rng.choice(PAGE_SIZES if scope.page_sizes is None else scope.page_sizes)
    windowed = Component.SWA in scope.components and rng.random() < 0.7
    states = Component.MAMBA in scope.components and rng.random() < 0.45
    device = rng.randint(3, 10)
    host, write_back = _host(rng, scope, device)
    window = rng.randint(1, 3 * page_size + 1)
    # About one window: an engine has room for that.
    least_swa = -(-window // page_size) + rng.randint(0, 2)
    return Config(
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
        threshold=rng.choice((1, 1, 1, 1, 2, 3)) if scope.hit_thresholds else 1,
        eviction_policy=_policy(rng, scope),
        load_threshold=rng.choice((1, 1, 1, 1, page_size + 1, 3 * page_size))
        if scope.load_thresholds
        else 1,
        bigram=not states and scope.bigram and rng.random() < 0.15,
        ranks=2 if scope.ranks and rng.random() < 0.15 else 1,
    )


def _with_more_states(shape: Config, scope: Scope) -> Config:
    """Where pages are of several tokens, an engine that carries requests may keep two more states
    for each (semantics 11.5): then there are twice as many, so that there is room for some.
    """
    if not scope.carries_requests or shape.page_size == 1:
        return shape
    roomier = replace(shape, mamba_states=2 * shape.mamba_states)
    return shape if scope.refuses(roomier) else roomier


def _host(rng: Random, scope: Scope, device: int) -> tuple[int, bool]:
    """Pages on the host, none without a host tier, and whether what is evicted is written back."""
    if not scope.hosted:
        return 0, False
    host = rng.choice((rng.randint(2, device), device + 4, 3 * device))
    write_back = scope.write_back and (not scope.write_through or rng.random() < 0.3)
    if write_back and rng.random() < 0.5:
        host = rng.randint(1, 4)  # so that there is often no room for what has to be written back
    if scope.hostless and rng.random() < 0.05:
        host = 0
    return host, write_back


def _without_a_host(shape: Config) -> Config:
    """What cannot be built with a host tier may be built without one. It would be rare otherwise:
    few configurations have none.
    """
    return replace(shape, host_pages=0, swa_host_pages=0, mamba_host_states=0)


def _policy(rng: Random, scope: Scope) -> EvictionPolicy:
    """LRU in two cases out of five and whenever it is drawn, if the scope has it."""
    if rng.random() < 0.6 or EvictionPolicy.LRU not in scope.eviction_policies:
        return rng.choice(scope.eviction_policies)
    return EvictionPolicy.LRU
