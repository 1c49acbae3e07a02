"""Device slots: an allocator per component, and the map that pairs FULL slots with SWA slots."""

from __future__ import annotations

import numpy as np

from radixproof.impl.radix.allocator import PageAllocator, SlotError
from radixproof.impl.radix.pools import Slots


class DeviceSlots:
    """Keeper of the device slots that no node and no request holds.

    Every token has one FULL slot. Where the cache has a window it is also born with one SWA slot,
    its *peer*, found through ``swa_of``: an array of shape [FULL slots], 0 for "no peer" (semantics
    13.1). Pages are paired whole: the peers of a FULL page are one SWA page. ``swa`` is None for a
    cache without a window, whose slots have no peers; ``mamba`` is None for one without states,
    which are in pages of one slot.
    """

    def __init__(
        self,
        full: PageAllocator,
        swa: PageAllocator | None = None,
        mamba: PageAllocator | None = None,
    ) -> None:
        self.full = full
        self.swa = swa
        self.mamba = mamba
        self.swa_of: Slots = np.zeros((full.pages + 1) * full.page_size, dtype=np.int64)

    def clear(self) -> None:
        """Take every slot back, whoever holds it."""
        for allocator in (self.full, self.swa, self.mamba):
            if allocator is not None:
                allocator.clear()
        self.swa_of[:] = 0

    def allocate(self, tokens: int) -> Slots | None:
        """FULL slots for ``tokens`` tokens (whole pages), each with a peer.

        None, and no change, if a pool has too few.
        """
        full = self.full.alloc(tokens)
        if full is not None and self.swa is not None:
            peers = self.swa.alloc(tokens)
            if peers is None:
                self.full.free(full)
                return None
            self.swa_of[full] = peers
        return full

    def free(self, full: Slots) -> None:
        """Take back FULL slots (whole pages), together with those peers that they still have.

        Raises `SlotError`.
        """
        self.full.free(full)
        self.free_swa(full)

    def free_swa(self, full: Slots) -> None:
        """Take back the peers of FULL slots (whole pages) only; slots without one are passed over.

        Raises `SlotError`.
        """
        if self.swa is None:
            return
        peers = self.swa_of[full]
        live = np.count_nonzero(peers)
        if live:
            self.swa.free(peers if live == len(peers) else peers[peers != 0])
            self.swa_of[full] = 0

    def peers(self, full: Slots) -> Slots:
        """The SWA slots of FULL slots. Raises `SlotError` if one of them has none."""
        peers: Slots = self.swa_of[full]
        if np.count_nonzero(peers) < len(peers):
            raise SlotError(
                f"FULL slots {full[peers == 0].tolist()} have no SWA peer: freed before its time?"
            )
        return peers

    def pair(self, full: Slots, swa: Slots) -> None:
        """Make SWA slots the peers of as many FULL slots (whole pages).

        Raises `SlotError` if one of these has a peer already.
        """
        if self.swa_of[full].any():
            raise SlotError(
                f"FULL slots {full[self.swa_of[full] != 0].tolist()} have an SWA peer already"
            )
        self.swa_of[full] = swa

    def move_peers(self, source: Slots, target: Slots) -> None:
        """Pair the peers of FULL slots ``source`` with as many FULL slots ``target`` instead.

        Raises `SlotError` as `pair`.
        """
        self.pair(target, self.peers(source))
        self.swa_of[source] = 0
