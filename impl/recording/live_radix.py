"""The tap on our own cache."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from radixproof.impl.recording.notes import Note
from radixproof.impl.recording.tap import Tap, begin, raised


def tap_cache(cache: Any, folder: Path) -> Tap:
    """Record a `RadixCache` from its next call on."""
    tap = begin(folder, "radix", _config(cache), _free_counts(cache))
    for name, noting in _NOTED.items():
        setattr(cache, name, _noting(tap, name, getattr(cache, name), noting))
    return tap


class Noting(NamedTuple):
    """How calls of a method are noted."""

    given: Callable[..., Note]
    """What it was given, from the tap and its arguments."""
    returned: Callable[[Any], Note | None] = lambda _: ()
    """What it returned; None if it is not to be noted."""
    changes_pools: bool = False


def _noting(tap: Tap, kind: str, call: Callable[..., Any], noting: Noting) -> Callable[..., Any]:
    def tapped(*arguments: Any, **named: Any) -> Any:
        if tap.ended:
            return call(*arguments, **named)
        try:
            given = noting.given(tap, *arguments, **named)
        except Exception as error:
            tap.fail(error)
            return call(*arguments, **named)
        try:
            result = call(*arguments, **named)
        except BaseException as error:
            tap.note((kind, None, given, None, None, raised(error)))
            raise
        try:
            returned = noting.returned(result)
            if returned is not None:
                free = tap.free() if noting.changes_pools else None
                tap.note((kind, None, given, returned, free, None))
        except Exception as error:
            tap.fail(error)
        return result

    return tapped


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


_NOTED = {
    "match": Noting(_looked_up, _found),
    "insert": Noting(_handed_over, _inserted, changes_pools=True),
    "lock": Noting(_anchor, _locked),
    "unlock": Noting(_given_back),
    "release_window": Noting(_given_back),
    "lock_host": Noting(_anchor, _locked),
    "unlock_host": Noting(_given_back),
    "evict": Noting(_wanted, _freed, changes_pools=True),
    "evict_host": Noting(_wanted_on_host, _counted, changes_pools=True),
    "load_back": Noting(_to_load, _loading, changes_pools=True),
    "writing_check": Noting(_checked, _acknowledged),
    "loading_check": Noting(_checked, _acknowledged),
    "reset": Noting(_nothing, changes_pools=True),
}
"""By name of a method. What is fetched to the host is not noted."""


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
