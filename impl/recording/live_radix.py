"""The tap on our own cache."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MethodType
from typing import Any

from radixproof.impl.recording.notes import Note
from radixproof.impl.recording.noting import TAP, Noting, noted
from radixproof.impl.recording.tap import Tap, begin


def tap_cache(cache: Any, folder: Path) -> Tap:
    """Record a `RadixCache` from its next call on."""
    tap = begin(folder, "radix", _config(cache), _free_counts(cache))
    setattr(cache, TAP, tap)
    for noting in _NOTED:
        method = noted(getattr(type(cache), noting.kind), noting, lambda _: None)
        setattr(cache, noting.kind, MethodType(method, cache))
    return tap


def _looked_up(tap: Tap, tokens: Sequence[int], namespace: str = "") -> Note:
    return (tap.prompt(tokens, len(tokens), namespace, None),)


def _found(found: Any) -> Note:
    device, best = found.device_node, found.best_node
    return device.end, best.end, device.id, best.id


def _handed_over(
    tap: Tap,
    tokens: Sequence[int],
    slots: Sequence[int],
    namespace: str = "",
    protected: int = 0,
    evicted: int = 0,
    state: int | None = None,
    priority: int = 0,
    inserted: int = 0,
) -> Note:
    key = tap.prompt(tokens, len(tokens), namespace, None)
    return key, protected, evicted, state is not None, priority, inserted


def _inserted(result: Any) -> Note:
    return result.reused, result.node.id


def _anchor(tap: Tap, node: Any) -> Note:
    return (node.id,)


def _locked(receipt: Any) -> Note:
    return (str(id(receipt)),)


def _given_back(tap: Tap, receipt: Any) -> Note:
    return receipt.anchor.id, str(id(receipt))


def _wanted(tap: Tap, full: int, swa: int = 0, mamba: int = 0) -> Note:
    return full, swa, mamba


def _freed(freed: Any) -> Note:
    return (tuple(freed),)


def _wanted_on_host(tap: Tap, tokens: int, component: Any = None) -> Note:
    return tokens, "full" if component is None else component.name.lower()


def _counted(count: int) -> Note:
    return (count,)


def _to_load(tap: Tap, node: Any, quota: int | None = None) -> Note:
    return node.id, quota


def _loading(loaded: int) -> Note:
    return loaded, None


def _checked(tap: Tap, blocking: bool = False, limit: int | None = None) -> Note:
    return (blocking,)


def _acknowledged(count: int) -> Note | None:
    """A poll that acknowledges nothing is not noted: there are many."""
    return (count,) if count else None


def _nothing(tap: Tap) -> Note:
    return ()


_NOTED = (
    Noting("match", _looked_up, _found),
    Noting("insert", _handed_over, _inserted, changes_pools=True),
    Noting("lock", _anchor, _locked),
    Noting("unlock", _given_back),
    Noting("release_window", _given_back),
    Noting("lock_host", _anchor, _locked),
    Noting("unlock_host", _given_back),
    Noting("evict", _wanted, _freed, changes_pools=True),
    Noting("evict_host", _wanted_on_host, _counted, changes_pools=True),
    Noting("load_back", _to_load, _loading, changes_pools=True),
    Noting("writing_check", _checked, _acknowledged),
    Noting("loading_check", _checked, _acknowledged),
    Noting("reset", _nothing, changes_pools=True),
)
"""Kinds are names of methods. What is fetched to the host is not noted."""


def _config(cache: Any) -> dict[str, Any]:
    """The configuration, by the names of a history's."""
    config = cache.config
    return {
        "page_size": config.page_size,
        "window": config.window,
        "device_pages": config.device.full,
        "swa_pages": config.device.swa,
        "mamba_states": config.device.mamba,
        "host_pages": config.host.full,
        "swa_host_pages": config.host.swa,
        "mamba_host_states": config.host.mamba,
        "write_back": config.write_back,
        "threshold": config.threshold,
        "eviction_policy": config.eviction_policy,
        "load_threshold": config.load_threshold,
        "bigram": config.bigram,
    }


def _free_counts(cache: Any) -> dict[str, Callable[[], int]]:
    """Per pool what tells its free slots."""
    memory = cache.memory
    tiers = (("", memory.device_allocators), ("_host", memory.host))
    return {
        f"{component.name.lower()}{tier}": functools.partial(getattr, allocator, "available")
        for tier, allocators in tiers
        for component, allocator in allocators.items()
    }
