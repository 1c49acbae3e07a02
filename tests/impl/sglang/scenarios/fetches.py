"""What the scenarios of prefetches are written with, and what can go wrong in these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from radixproof.impl.fetching import Doing, Fetch
from radixproof.impl.operations import Operation
from radixproof.impl.system import Complete, Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.running.run import Run

from .bench import FULL_ONLY, build, equal, patched, tags

KEY = Key((1, 2, 3, 4, 5, 6, 7, 8))
PLAIN = Config(device_pages=16, host_pages=16)
WINDOWED = Config(page_size=2, window=2, swa_pages=8, swa_host_pages=16)


def begun(system: Complete, key: Key = KEY, stored: int = 99) -> Fetch:
    found = system.match(key)
    return system.begin_prefetch(key, found.best_anchor, found.best, tags(key.tokens), stored)


def did(fetch: Fetch) -> list[Doing]:
    equal(fetch.error, None)
    return [part.did for part in fetch.parts]


def caches(release: Target) -> Iterator[Complete]:
    if release.scope.carries_prefetches:
        yield build(release, FULL_ONLY)
        yield build(release, WINDOWED)


def found(release: Target, patch: Callable[[Any], None], operations: list[Operation]) -> str:
    """What a run on a patched cache reports first, its events aside."""
    target = Target(
        release.name,
        release.summary,
        release.dialect,
        patched(release, patch),
        release.scope,
        replace(release.sight, events=False),
        vetted=True,
    )
    run = Run(target, PLAIN, every=1)
    for operation in operations:
        if breaches := run.step(operation, whole=True):
            return breaches[0].signature
    return ""


def loses_slots(tree: Any) -> None:
    tree.cache_controller.append_host_mem_release = lambda *_, **__: None


def counts_on(tree: Any) -> None:
    tree.cache_controller.prefetch_tokens_occupied = 3


def keeps_locks(tree: Any) -> None:
    tree.dec_host_lock_ref = lambda *_: None


def remembers(tree: Any) -> None:
    tree.release_aborted_request = tree.has_ongoing_prefetch = lambda _: None
