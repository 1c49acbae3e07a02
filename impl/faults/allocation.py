"""Bugs in the device allocators and in the map from FULL to SWA slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.pools import Slots


@fault(
    "B10, SGLang pull requests 25805, 25834, 25385",
    "the map keeps the entries of FULL slots that are freed together with their peers",
    Property.MAP,
)
def freed_slots_stay_in_the_map(cache: RadixCache) -> None:
    device, free = cache.memory.device, cache.memory.device.free

    def free_and_keep(full: Slots) -> None:
        entries = device.swa_of[full]
        free(full)
        device.swa_of[full] = entries

    device.free = free_and_keep  # type: ignore[method-assign]


@fault(
    "B09, SGLang pull requests 27586, 27789, 27779",
    "freeing a page of SWA clears the entry of its first token only",
    Property.MAP,
)
def page_stays_in_the_map(cache: RadixCache) -> None:
    device, free_swa = cache.memory.device, cache.memory.device.free_swa

    def free_first(full: Slots) -> None:
        entries = device.swa_of[full]
        free_swa(full)
        entries[:: device.full.page_size] = 0
        device.swa_of[full] = entries

    device.free_swa = free_first  # type: ignore[method-assign]


@fault(
    "B59, SGLang pull request 36457",
    "freeing SWA clears the map one page further than it frees",
    Property.NOCRASH,
)
def neighbour_cleared_in_the_map(cache: RadixCache) -> None:
    device, free_swa = cache.memory.device, cache.memory.device.free_swa

    def free_wide(full: Slots) -> None:
        free_swa(full)
        if len(full):
            device.swa_of[full[-1] + 1 : full[-1] + 1 + device.full.page_size] = 0

    device.free_swa = free_wide  # type: ignore[method-assign]


@fault(
    "B57, SGLang pull request 36637; B58, SGLang pull request 38519",
    "freeing slots without a peer gives the padding at slot 0 to the SWA pool",
    Property.OWN,
)
def padding_is_handed_out(cache: RadixCache) -> None:
    device = cache.memory.device

    def free_swa(full: Slots) -> None:
        if device.swa is None:
            return
        pages = np.unique(device.swa_of[full] // device.swa.page_size).tolist()
        device.swa._free.extend(pages)
        for page in pages:
            device.swa._taken[page] = 0
        device.swa_of[full] = 0

    device.free_swa = free_swa  # type: ignore[method-assign]


@fault(
    "B11, SGLang pull requests 36135, 36381, 36646 and issue 36081",
    "slots whose peers were moved to others still lead to them, "
    "and take them along when they are freed",
    Property.OWN,
)
def moved_peers_freed_with_old_slots(cache: RadixCache) -> None:
    device = cache.memory.device

    def move_peers(source: Slots, target: Slots) -> None:
        device.pair(target, device.peers(source))

    device.move_peers = move_peers  # type: ignore[method-assign]


@fault(
    "B11, SGLang pull requests 36135, 36381, 36646 and issue 36081",
    "which SWA goes with freed FULL slots is looked up when the next slots are wanted, "
    "not when they are freed",
    Property.OWN,
)
def peers_freed_too_late(cache: RadixCache) -> None:
    device, allocate, free_swa = (
        cache.memory.device,
        cache.memory.device.allocate,
        cache.memory.device.free_swa,
    )
    waiting: list[Slots] = []

    def allocate_after_all(tokens: int) -> Slots | None:
        for full in waiting:
            free_swa(full)
        waiting.clear()
        return allocate(tokens)

    def free_later(full: Slots) -> None:
        waiting.append(full)

    device.allocate = allocate_after_all  # type: ignore[method-assign]
    device.free_swa = free_later  # type: ignore[method-assign]


@fault(
    "B67, SGLang pull request 30053",
    "an allocation that fails for want of SWA does not give the FULL slots back",
    Property.OWN,
)
def failed_allocation_keeps_full(cache: RadixCache) -> None:
    device = cache.memory.device

    def allocate(tokens: int) -> Slots | None:
        full = device.full.alloc(tokens)
        if full is not None and device.swa is not None:
            peers = device.swa.alloc(tokens)
            if peers is None:
                return None
            device.swa_of[full] = peers
        return full

    device.allocate = allocate  # type: ignore[method-assign]


@fault(
    "family of B09, SGLang pull requests 27586, 27789, 27779: entries of the map",
    "slots of which some have no peer are freed without the peers of the others",
    Property.OWN,
)
def peers_freed_all_or_none(cache: RadixCache) -> None:
    device, free_swa = cache.memory.device, cache.memory.device.free_swa

    def free_whole(full: Slots) -> None:
        if device.swa_of[full].all():
            free_swa(full)

    device.free_swa = free_whole  # type: ignore[method-assign]


@fault(
    "family of B42, SGLang pull request 27330: what a rank does by itself",
    "pages that are freed while copies of this rank are under way are handed out last, "
    "so that ranks give out other slots",
    Property.RANK,
)
def free_pages_ordered_by_own_copies(cache: RadixCache) -> None:
    full, free = cache.memory.device.full, cache.memory.device.full.free
    backups, loads = cache.backups._outstanding, cache.loader._outstanding

    def free_in_order(slots: Slots) -> None:
        before = len(full._free)
        free(slots)
        if backups.done() < len(backups) or loads.done() < len(loads):
            full._free[:] = full._free[before:] + full._free[:before]

    full.free = free_in_order  # type: ignore[method-assign]
