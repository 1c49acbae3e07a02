"""Copies of MAMBA states for requests (semantics 3.6)."""

from __future__ import annotations

import pytest

from radixproof.model.config import Pool

from .lettered import NEVER, Cache


def copied(cache: Cache, text: str) -> int | None:
    """What a request gets that goes on from ``text``: the tag of the state in its own slot."""
    slot = cache.system.copy_state(cache.best(text))
    if slot is None:
        return None
    (tag,) = cache.system.read(Pool.MAMBA, [slot])
    cache.system.free_state(slot)
    return tag


def test_a_copy_of_a_state_is_the_requests_own() -> None:
    cache = Cache(mamba=True, threshold=NEVER)
    cache.put("ab", state=True)
    before = cache.nodes()["ab"]
    slot = cache.system.copy_state(cache.anchor("ab"))
    assert slot is not None
    cache.system.write_state(slot, 7)
    assert cache.nodes()["ab"] == before
    assert not cache.wrong()


def test_a_copy_evicts_another_state_but_never_its_source() -> None:
    cache = Cache(mamba=True, threshold=NEVER, mamba_states=2, mamba_host_states=2)
    cache.put("ab", state=True)
    cache.put("xy", state=True)
    assert copied(cache, "ab") == 1000 + ord("b")
    assert cache.resident_in(Pool.MAMBA) == {"ab"}
    cache.system.allocate_state()
    assert copied(cache, "ab") is None
    assert cache.resident_in(Pool.MAMBA) == {"ab"}
    assert cache.see().protected == (0, 0, 0)


def test_a_copy_of_a_state_that_is_being_loaded_comes_from_the_host() -> None:
    cache = Cache(mamba=True)
    cache.demote("ab")
    assert cache.load("ab") == 2
    assert cache.nodes()["ab"].loading
    assert copied(cache, "ab") == 1000 + ord("b")


def test_a_copy_of_a_state_that_came_during_a_load_comes_from_the_device() -> None:
    cache = Cache(mamba=True, window=2)
    cache.put("ab")
    cache.settle()
    cache.system.evict(2, 2, 0)
    node = cache.system.cache.tree.root.children.values()
    assert cache.system.load_back(next(iter(node)), None) == 2
    cache.put("ab", state=True)
    (seen,) = cache.nodes().values()
    assert (seen.loading, seen.pending, seen.slots[Pool.MAMBA_HOST] is not None) == (
        True,
        True,
        True,
    )
    assert copied(cache, "ab") == 1000 + ord("b")


def test_only_a_node_with_a_state_can_be_copied_from() -> None:
    cache = Cache(mamba=True)
    anchor = cache.put("ab").anchor
    with pytest.raises(ValueError, match="no state"):
        cache.system.copy_state(anchor)
