"""Sabotage of backups, and of the hits that make them due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from radixproof.impl.sabotage.planting import (
    ALL,
    FULL,
    HOSTED,
    THROUGH,
    Policy,
    Strikes,
    kind,
)
from radixproof.impl.sabotage.seams import around, gives, instead
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.config import Component as Part
    from radixproof.impl.radix.engine import CopyEngine, Transfer
    from radixproof.impl.radix.insertion import Inserted
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import KVPool

DUE = "Under write-through a node is due for backup when its hits reach the threshold:"
EARLY = "Backing up what is not due is a breach, too (BACKUP)."
ANCESTORS = (
    "Whatever is due is backed up together with every ancestor that has no host copy, the"
    " ancestors before it, up to the first for which the host has no room."
)
ALL_OF_IT = (
    "A backup takes host slots for all that the node has on the device and not on the host, or"
    " takes none at all."
)
HELD = (
    "The host slots are the node's from that moment, before any byte has moved, and the node is"
    " locked as in 6.1 until the ack."
)
MARKS = "and two marks, that a backup of it or a load-back into it is in flight."
BYTES = "The content of a slot names the whole prefix up to its token"
HIT = (
    "A use of a node by a request is one hit, however often the request inserts: an insert counts"
    " one for every node that it walked or made and that ends beyond what the same request has"
    " inserted before."
)


def fits(cache: RadixCache, node: Node) -> bool:
    """Whether a backup of a node needs no room made."""
    missing = cache.backups._missing(node)
    return all(len(slots) <= cache.memory.host[one].available for one, slots in missing.items())


def _succeeds(cache: RadixCache, node: Node) -> bool:
    """Whether a backup of a node needs no room made, and no allocation for it is told to fail."""
    missing = cache.backups._missing(node)
    return all(gives(cache.memory.host[one], len(slots)) for one, slots in missing.items())


@kind(
    "a backup that is due, and has room, is not started",
    "8.2",
    "What was due and had room is *owed*: if eviction later takes it from the device for want of a"
    " host copy, that is a breach; it is one at once",
    policies=THROUGH,
)
def backup_not_started(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.backups, "_start")
    def not_at_all(start: Callable[..., bool], node: Node, lock: bool) -> bool:
        return False if lock and _succeeds(cache, node) and strikes(FULL) else start(node, lock)


@kind("a backup is started a hit too early", "8.1", DUE, policies=(Policy.SELECTIVE,))
def backup_early(cache: RadixCache, strikes: Strikes) -> None:
    backups = cache.backups

    @around(backups, "hit")
    def start_now(hit: Callable[..., None], node: Node) -> None:
        hit(node)
        hangs = node.parent is not None and (node.parent.is_root or node.parent.backed)
        almost = node.hits == backups._threshold - 1 and not node.backed and hangs
        if almost and _succeeds(cache, node) and strikes(FULL):
            backups._start(node, lock=True)


@kind(
    "a backup is started by a hit under write_back",
    "8.3",
    "Under write_back a backup is made when eviction needs it:",
    policies=(Policy.WRITE_BACK,),
)
def backup_unneeded(cache: RadixCache, strikes: Strikes) -> None:
    backups = cache.backups

    @around(backups, "hit")
    def start_now(hit: Callable[..., None], node: Node) -> None:
        hit(node)
        if not node.backed and _succeeds(cache, node) and strikes(FULL):
            backups._start(node, lock=True)


@kind("a backup of a node starts one below it, too", "8.2", EARLY, policies=THROUGH)
def backup_for_too_much(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "insert")
    def and_below(insert: Callable[..., Inserted], offer: object) -> Inserted:
        done = insert(offer)
        below = (
            child
            for child in done.node.children.values()
            if child.full.device is not None and not child.backed and done.node.backed
        )
        child = next(below, None)
        if child is not None and _succeeds(cache, child) and strikes(FULL):
            cache.backups._start(child, lock=True)
        return done


@kind("a backup leaves out a component of its node", "8.3", ALL_OF_IT, ALL, HOSTED)
def backup_without_a_component(cache: RadixCache, strikes: Strikes) -> None:
    backups = cache.backups

    @around(backups, "_start")
    def in_part(start: Callable[..., bool], node: Node, lock: bool) -> bool:
        missing = backups._missing(node)
        for component in missing if len(missing) > 1 and fits(cache, node) else ():
            if strikes(Component(component)):
                part = {one: slots for one, slots in missing.items() if one is not component}
                with instead(backups, "_missing", lambda _, part=part: part):
                    return start(node, lock)
        return start(node, lock)


@kind(
    "a node is backed up, and an ancestor without a host copy is not",
    "8.2",
    ANCESTORS,
    policies=THROUGH,
)
def backup_without_ancestor(cache: RadixCache, strikes: Strikes) -> None:
    backups = cache.backups

    @around(backups, "_back_up")
    def alone(back_up: Callable[..., None], node: Node) -> None:
        parent = node.parent
        hangs = parent is not None and (parent.is_root or parent.backed)
        if not hangs and _succeeds(cache, node) and strikes(FULL):
            backups._start(node, lock=True)
        else:
            back_up(node)


def _once_started(cache: RadixCache, then: Callable[[Node, Any], None]) -> None:
    """Let ``then`` see every backup under write-through right after it has been started."""
    backups = cache.backups

    @around(backups, "_start")
    def and_then(start: Callable[..., bool], node: Node, lock: bool) -> bool:
        started = start(node, lock)
        if started and lock:
            then(node, backups._outstanding._entries[-1])
        return started


@kind("a backup does not lock its node", "8.3", HELD, policies=THROUGH)
def backup_unlocked(cache: RadixCache, strikes: Strikes) -> None:
    def release(node: Node, backup: Any) -> None:
        if strikes(FULL):
            cache.locks.unlock(backup.receipt)
            backup.receipt = cache.locks.lock(cache.tree.root)

    _once_started(cache, release)


@kind("a node is not marked as being backed up", "1.1", MARKS, policies=THROUGH)
def backup_unmarked(cache: RadixCache, strikes: Strikes) -> None:
    def clear(node: Node, backup: Any) -> None:
        if strikes(FULL):
            node.backups.remove(backup)
            backup.fragments.remove(node)
            cache.tree.changed(node)

    _once_started(cache, clear)


def misread(
    cache: RadixCache, engine: CopyEngine, pools: dict[Part, KVPool], strikes: Strikes
) -> None:
    """A copy from these pools takes the last slot's bytes from the slot beside it."""

    @around(engine, "submit")
    def beside(submit: Callable[..., Any], transfers: Sequence[Transfer]) -> Any:
        found = list(transfers)
        for at, transfer in enumerate(transfers):
            component = next((one for one, pool in pools.items() if pool is transfer.source), None)
            if component is not None and strikes(Component(component)):
                slots = transfer.source_slots.copy()
                first = cache.config.slots_per_page(component)
                slots[-1] += -1 if slots[-1] > first else 1
                slots = np.minimum(slots, transfer.source.kv.shape[2] - 1)
                found[at] = transfer._replace(source_slots=slots)
        return submit(found)


@kind("a backup copies the bytes of a slot's neighbour", "17.3", BYTES, ALL, HOSTED)
def backup_reads_a_neighbour(cache: RadixCache, strikes: Strikes) -> None:
    misread(cache, cache.backups._engine, cache.memory.device_pools, strikes)


def hits_matter(cache: RadixCache) -> bool:
    """Whether anything depends on how many hits a node has, beyond the first."""
    config = cache.config
    return config.eviction_policy in ("lfu", "slru") or (config.hosted and config.threshold > 1)


@kind("a use is not counted as a hit", "8.1", HIT)
def hit_not_counted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.backups, "hit")
    def forget(hit: Callable[..., None], node: Node) -> None:
        if not (hits_matter(cache) and strikes(FULL)):
            hit(node)


@kind("a use is counted as two hits", "8.1", HIT)
def hit_counted_twice(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.backups, "hit")
    def twice(hit: Callable[..., None], node: Node) -> None:
        if hits_matter(cache) and strikes(FULL):
            node.hits += 1
        hit(node)


@kind(
    "a match is counted as a hit",
    "8.1",
    "A match, a load-back and a host insert count none.",
)
def hit_by_match(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "match")
    def count(match: Callable[..., Any], *key: Any) -> Any:
        found = match(*key)
        if not found.best_node.is_root and hits_matter(cache) and strikes(FULL):
            found.best_node.hits += 1
        return found
