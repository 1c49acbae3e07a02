"""Bugs in backing nodes up to the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.engine import Copy, Transfer
    from radixproof.impl.radix.insertion import Inserted, Offer
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots


@fault(
    "B01, SGLang pull request 25065",
    "a leaf cut at the SWA boundary is not backed up because its new parent is not, "
    "and is lost at eviction",
    Property.PROGRESS,
)
def split_parent_not_backed_up(cache: RadixCache) -> None:
    backups = cache.backups
    hit, back_up = backups.hit, backups._back_up

    def count(node: Node) -> None:
        below_boundary = node.children and not node.hits and node.swa.device is None
        if not below_boundary:  # the hit on a new leaf goes to the piece that kept its window
            hit(node)

    def with_parent_only(node: Node) -> None:
        assert node.parent is not None
        if node.parent.is_root or node.parent.backed:
            back_up(node)

    backups.hit = count  # type: ignore[method-assign]
    backups._back_up = with_parent_only  # type: ignore[method-assign]


@fault(
    "B01, SGLang pull request 25065, the other way round",
    "a node is backed up below ancestors that are not",
    Property.BACKUP,
)
def ancestors_not_backed_up(cache: RadixCache) -> None:
    backups = cache.backups

    def alone(node: Node) -> None:
        backups._start(node, lock=True)

    backups._back_up = alone  # type: ignore[method-assign]


@fault(
    "B01, SGLang pull request 25065, its chain of ancestors",
    "a node is backed up although the host had no room for an ancestor that had to be backed up "
    "first",
    Property.BACKUP,
)
def backup_goes_on_without_ancestor(cache: RadixCache) -> None:
    backups = cache.backups

    def every_part(node: Node) -> None:
        path = [node]
        while (above := path[-1].parent) is not None and not above.is_root and not above.backed:
            path.append(above)
        for part in reversed(path):
            backups._start(part, lock=True)

    backups._back_up = every_part  # type: ignore[method-assign]


@fault(
    "B22, SGLang pull requests 32892 and 33639",
    "a window or a state attached to a node after its FULL was backed up never gets a host copy",
    Property.PROGRESS,
)
def late_value_not_backed_up(cache: RadixCache) -> None:
    backups = cache.backups
    missing = backups._missing

    def unless_backed(node: Node) -> dict[Component, Slots]:
        return {} if node.backed else missing(node)

    backups._missing = unless_backed  # type: ignore[method-assign]


@fault(
    "B29, SGLang issue 33714 and pull request 36647",
    "an insert that goes on from a prefix it was given counts no hits, "
    "so that long prompts are not backed up",
    Property.PROGRESS,
)
def continued_prompt_not_counted(cache: RadixCache) -> None:
    inserter, backups = cache.inserter, cache.backups
    insert, hit = inserter.insert, backups.hit

    def uncounted(node: Node) -> None:
        pass

    def insert_uncounted(offer: Offer) -> Inserted:
        backups.hit = uncounted if offer.protected else hit  # type: ignore[method-assign]
        return insert(offer)

    inserter.insert = insert_uncounted  # type: ignore[method-assign]


@fault(
    "B29, SGLang pull request 39454",
    "every insert of a request counts as a hit, so that its prefix counts as used twice as soon as "
    "it ends",
    Property.BACKUP,
)
def request_hits_with_every_insert(cache: RadixCache) -> None:
    inserter, insert = cache.inserter, cache.inserter.insert

    def insert_anew(offer: Offer) -> Inserted:
        return insert(replace(offer, inserted=0))

    inserter.insert = insert_anew  # type: ignore[method-assign]


@fault(
    "B29, SGLang pull request 39454",
    "one insert counts as two hits, so that what was used once is backed up under "
    "write-through-selective",
    Property.BACKUP,
)
def hit_counted_twice(cache: RadixCache) -> None:
    backups = cache.backups
    hit = backups.hit

    def twice(node: Node) -> None:
        node.hits += 1
        hit(node)

    backups.hit = twice  # type: ignore[method-assign]


@fault(
    "SGLang pull requests 18843 and 30689",
    "hits are only counted for as long as something of the node is to be backed up",
    Property.RECENCY,
)
def hits_end_with_the_backup(cache: RadixCache) -> None:
    backups = cache.backups
    hit, missing = backups.hit, backups._missing

    def while_missing(node: Node) -> None:
        if missing(node):
            hit(node)

    backups.hit = while_missing  # type: ignore[method-assign]


@fault(
    "family of B29: SGLang 0.5.12 and its threshold before a host tier is attached",
    "the threshold keeps its default of 256 hits, and nothing is backed up",
    Property.PROGRESS,
)
def threshold_left_at_default(cache: RadixCache) -> None:
    cache.backups._threshold = max(cache.backups._threshold, 256)


@fault(
    "SGLang pull request 20611",
    "nothing keeps the source of a backup in flight on the device",
    Property.LOCK,
)
def backup_source_not_pinned(cache: RadixCache) -> None:
    backups = cache.backups
    start = backups._start

    def unpinned(node: Node, lock: bool) -> bool:
        return start(node, lock=False)

    backups._start = unpinned  # type: ignore[method-assign]


@fault(
    "B33, SGLang pull request 16946",
    "the upper half of a node that is split while it is being backed up is not part of the backup",
    Property.PIN,
)
def split_leaves_backup(cache: RadixCache) -> None:
    tree = cache.tree
    split = tree.split

    def lower_half_only(node: Node, length: int) -> Node:
        upper = split(node, length)
        for backup in upper.backups:
            backup.fragments.remove(upper)
        upper.backups.clear()
        return upper

    tree.split = lower_half_only  # type: ignore[method-assign]


@fault(
    "B67, SGLang pull request 30053",
    "the FULL host slots of a backup are lost when there are none for its window or state",
    Property.OWN_H,
)
def slots_of_refused_backup_lost(cache: RadixCache) -> None:
    backups, host = cache.backups, cache.memory.host
    allocate = backups._allocate

    def one_by_one(need: dict[Component, int]) -> dict[Component, Slots] | None:
        taken = allocate(need)
        if taken is None and len(need) > 1:
            host[Component.FULL].alloc(need.get(Component.FULL, 0))
        return taken

    backups._allocate = one_by_one  # type: ignore[method-assign]


@fault(
    "family of B73, SGLang pull request 33862: a host that is too small",
    "host data makes room for a backup that cannot have enough, and is not made",
    Property.PROGRESS,
)
def room_made_in_vain(cache: RadixCache) -> None:
    def all_of_it(component: Component) -> Iterator[int]:
        host = cache.memory.host[component]
        yield host.pages * host.page_size

    cache.host_evictor.reclaimable = all_of_it  # type: ignore[method-assign]


@fault(
    "B62, SGLang pull requests 37496 and 39479",
    "a backup reads the device slots in the order of the pool, not in that of the node",
    Property.CONTENT,
)
def backup_reads_in_pool_order(cache: RadixCache) -> None:
    engine = cache.backups._engine
    submit = engine.submit

    def sorted_sources(transfers: Sequence[Transfer]) -> Copy:
        return submit(
            [
                transfer._replace(source_slots=np.sort(transfer.source_slots))
                for transfer in transfers
            ]
        )

    engine.submit = sorted_sources  # type: ignore[method-assign]


@fault(
    "SGLang 0.5.20 to 0.5.23: what comes while a backup is in flight",
    "what comes to a node while a backup of it is in flight is not backed up with the hit that "
    "brings it",
    Property.PROGRESS,
)
def nothing_supplemented_while_in_flight(cache: RadixCache) -> None:
    backups = cache.backups
    missing = backups._missing

    def unless_in_flight(node: Node) -> dict[Component, Slots]:
        return {} if node.backed and node.backups else missing(node)

    backups._missing = unless_in_flight  # type: ignore[method-assign]
