"""A new adapter tried out: the plainest calls, to see whether it looks at all that its scope
allows to differ.

A scope that says too much would give findings about a cache that was never told what it is blamed
for: an eviction order that the adapter does not pass on, a namespace that it does not look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TypeVar, cast

from radixproof.impl.observation import ROOT, Observation, Whole
from radixproof.impl.system import AdapterMistake, Complete, Target, close
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.accepting.answers import spelled
from radixproof.properties.accepting.vetted import accepted

REMEDIES = {
    "device_pages": "",
    "page_size": "page_sizes=(1,)",
    "window": "components=(Component.FULL,)",
    "mamba_states": "components=(Component.FULL,)",
    "host_pages": "hosted=False",
    "eviction_policy": "eviction_policies=(EvictionPolicy.LRU,)",
    "bigram": "bigram=False",
    "namespace": "namespaces=False",
}
"""What the plainest calls depend on, of a configuration and of a key, with what a scope says where
it does not differ.
"""


def tried_out(target: Target, configs: Sequence[Config]) -> None:
    """Raises `AdapterMistake` if the scope of a target says too much; ``configs`` are within it."""
    looked_at: set[str] = set()
    for config in configs:
        if not _played(target, config, looked_at):
            return
    for name, words in REMEDIES.items():
        if name not in looked_at and _differs(name, target, configs):
            of = "key" if name == "namespace" else "config"
            remedy = f", or write {words} in the scope" if words else ""
            raise AdapterMistake(
                f"the scope of {target.name} allows more than its adapter looks at: {of}.{name} "
                f"is never read; pass it on{remedy}"
            )


def _differs(name: str, target: Target, configs: Sequence[Config]) -> bool:
    if name == "namespace":
        return target.scope.namespaces
    return len({getattr(config, name) for config in configs}) > 1


def _played(target: Target, config: Config, looked_at: set[str]) -> bool:
    """Make the plainest calls on a new cache, and note what they look at.

    Returns whether nothing was raised; if something was, a search will find it, too.
    """
    try:
        built = target.build(_watched(config, looked_at))
    except AdapterMistake:
        raise
    except Exception:
        return False
    system = accepted(built, target, config)
    try:
        looks = _calls(system, config, looked_at)
    except AdapterMistake:
        raise
    except Exception:
        return False
    finally:
        close(system)
    problem = next(_contradictions(*looks), "")
    if problem:
        raise AdapterMistake(f"the adapter of {target.name} has a mistake: observe {problem}")
    return True


def _calls(
    system: Complete, config: Config, looked_at: set[str]
) -> tuple[Observation, Observation]:
    """One prompt is cached, then a longer one, locked and unlocked. Two looks, then an eviction."""
    size = config.page_size
    for tokens in (size, 2 * size):
        key = _watched(Key(tuple(range(1, tokens + 1 + config.bigram))), looked_at)
        found = system.match(key)
        new = system.allocate(tokens - found.device)
        if new is not None:
            slots = found.slots + new
            system.write(new, new)
            system.insert(key, slots, found.device, found.device, None, 0)
        system.unlock(system.lock(system.match(key).anchor))
    looks = system.observe(True), system.observe(True)
    system.evict(size, 0, 0)
    return looks


def _contradictions(before: Observation, after: Observation) -> Iterator[str]:
    """What cannot be in two looks with nothing in between, whatever the cache does."""
    ids = {view.id for view in before.nodes}
    for view in before.nodes:
        if view.parent not in (ROOT, *ids):
            yield f"shows a node {view.id} below {view.parent}, which it does not show"
    names = [item.name for item in fields(Observation) if item.name not in ("events", "whole")]
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in names]
    pairs += [
        (item.name, getattr(before.whole, item.name), getattr(after.whole, item.name))
        for item in fields(Whole)
    ]
    for name, old, new in pairs:
        if old != new:
            yield f"changes what it looks at: {name} is {spelled(old)}, then {spelled(new)}"


T = TypeVar("T", Config, Key)


def _watched(value: T, looked_at: set[str]) -> T:
    """A copy that notes which of its attributes are looked at."""

    class Watched(type(value)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> object:
            looked_at.add(name)
            return super().__getattribute__(name)

    copy = object.__new__(Watched)
    for item in fields(value):
        object.__setattr__(copy, item.name, getattr(value, item.name))
    return cast(T, copy)
