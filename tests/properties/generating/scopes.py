"""Scopes, and configurations that are drawn within them."""

from __future__ import annotations

from random import Random

from radixproof.impl.operations import (
    Decode,
    Evict,
    EvictHost,
    Insert,
    Lock,
    Match,
    Prefill,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.scope import Scope
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.properties.generating.configs import config

NARROW = Scope(
    components=(Component.FULL, Component.SWA),
    eviction_policies=(EvictionPolicy.LRU, EvictionPolicy.LFU),
    operations=(Insert, Match, Lock, Unlock, Evict, EvictHost, RunCopies, WritingCheck),
    hostless=False,
    write_back=False,
    bigram=False,
    ranks=False,
    failing_copies=False,
)
EVERYTHING = Scope(launches=(Prefill, Decode))
ONE_TIER = Scope(hosted=False, page_sizes=(1,), namespaces=False)
WRITING_BACK = Scope(
    hostless=False,
    page_sizes=(8, 16),
    write_through=False,
    hit_thresholds=False,
    load_thresholds=False,
    eviction_policies=(EvictionPolicy.MRU,),
)
AT_MOST_FIVE_PAGES = Scope(cannot=lambda shape: "so many pages" * (shape.device_pages > 5))


def drawn(scope: Scope, count: int = 600) -> list[Config]:
    """Configurations within a scope."""
    return [config(Random(f"shape {number}"), scope) for number in range(count)]
