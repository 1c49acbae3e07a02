"""Events: what they say, of which namespace, and that a judge hears of what they do not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from radixproof.impl.operations import Evict, Insert, Operation, WritingCheck
from radixproof.impl.system import Target
from radixproof.model.config import Component, Config
from radixproof.model.key import Key
from radixproof.properties.running.run import Run

from .bench import (
    FULL_ONLY,
    PROMPT,
    SWA,
    build,
    equal,
    heard,
    look,
    patched,
    put,
    said,
    settle,
    without,
)


def what_is_cached_is_announced(release: Target) -> None:
    """A page at a time, each below the one above; only what has arrived on the host is there."""
    system = build(release, FULL_ONLY)
    if not release.sight.events:
        equal(look(system).events, None)
        return
    equal(said(system), [("cleared", False, 0)])
    put(system, PROMPT)
    first, second = heard(system)
    equal((first.tokens, second.tokens), ((1, 2), (3, 4)))
    equal((first.parent, second.parent), (None, *first.blocks))
    system.match(Key((1, 2)))
    equal(heard(system), [])
    settle(system)
    on_host = heard(system)
    equal([replaced._replace(on_host=False) for replaced in on_host], [first, second])
    system.evict(4, 0, 0)
    gone = heard(system)
    equal([block for one in gone for block in one.blocks], [*second.blocks, *first.blocks])
    equal({(event.kind, event.on_host) for event in gone}, {("removed", False)})
    system.evict_host(4, Component.FULL)
    equal({(event.kind, event.on_host) for event in heard(system)}, {("removed", True)})
    system.reset()
    equal(said(system), [("cleared", False, 0)])
    put(system, PROMPT)
    equal(heard(system), [first, second])


def pairs_are_announced_as_pairs(release: Target) -> None:
    if release.sight.events:
        system = build(release, Config(bigram=True))
        slots = system.allocate(2)
        assert slots is not None, "no room"
        system.insert(Key((1, 2, 3)), slots, 0, 0)
        stored = [event.tokens for event in heard(system) if event.kind == "stored"]
        equal(stored, [((1, 2),), ((2, 3),)])


def a_name_has_its_namespace_in_it_since_0_5_22(release: Target) -> None:
    if not release.sight.events:
        return
    system = build(release, SWA)
    heard(system)
    for namespace in ("", "a", "b"):
        put(system, (1, 2), namespace)
    stored = heard(system)
    equal([event.namespace for event in stored], ["", "", "a", "a", "b", "b"])
    equal([event.tokens for event in stored], [(1,), (2,)] * 3)
    parts: Any = system
    named = parts._sglang.capabilities.named_namespaces
    equal(len({event.blocks for event in stored}), 6 if named else 2)


def what_a_release_does_not_announce_is_found(release: Target) -> None:
    """Releases are patched by hand here."""
    for kind, rule in (("BlockStored", "stored-missing"), ("BlockRemoved", "removed-missing")):
        if release.sight.events:
            run = Run(replace(release, build=patched(release, without(kind))), FULL_ONLY, every=1)
            operations: list[Operation] = [
                Insert(Key(PROMPT)),
                WritingCheck(blocking=True),
                Evict(4),
            ]
            found = [breach.rule for one in operations for breach in run.step(one)]
            equal(rule in found, True)
            run.close()
