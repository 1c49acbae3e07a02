"""Device slots, and the map that pairs FULL with SWA."""

from __future__ import annotations

import pytest

from radixproof.impl.radix.allocator import SlotError

from .slots import paired, taken


def test_slots_are_paired_once() -> None:
    device = paired()
    full, swa = taken(device.full, 4), taken(device.swa or device.full, 4)
    device.pair(full, swa)
    assert device.peers(full).tolist() == swa.tolist()
    with pytest.raises(SlotError, match="already"):
        device.pair(full[2:], swa[:2])


def test_paired_allocation_needs_room_in_both_pools() -> None:
    device = paired()
    assert device.allocate(8) is None
    assert device.full.available == 8
    full = device.allocate(6)
    assert full is not None
    assert sorted(device.peers(full)) == [2, 3, 4, 5, 6, 7]


def test_freeing_full_slots_frees_their_peers() -> None:
    device = paired()
    full = device.allocate(4)
    assert full is not None
    device.free_swa(full[:2])
    assert device.swa_of[full].tolist()[:2] == [0, 0]
    device.free(full)
    assert not device.swa_of.any()
    assert (device.full.available, device.swa.available if device.swa else 0) == (8, 6)
    with pytest.raises(SlotError):
        device.free(full)


def test_freeing_part_of_an_swa_page_is_refused() -> None:
    device = paired()
    full = device.allocate(2)
    assert full is not None
    with pytest.raises(SlotError, match="whole pages"):
        device.free_swa(full[:1])
    assert device.peers(full).tolist() == [2, 3]


def test_moved_peers_belong_to_the_target_alone() -> None:
    device = paired()
    source, target = device.allocate(2), device.allocate(2)
    assert source is not None
    assert target is not None
    with pytest.raises(SlotError, match="already"):
        device.move_peers(source, target)
    device.free_swa(target)
    peers = device.peers(source).tolist()
    device.move_peers(source, target)
    assert device.peers(target).tolist() == peers
    device.free(source)
    assert device.peers(target).tolist() == peers
    with pytest.raises(SlotError, match="no SWA peer"):
        device.peers(source)
