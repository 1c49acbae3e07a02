"""The trie: pages by prefix, what each pool holds, and the order of use."""

from __future__ import annotations

from typing import Any

import pytest

from radixproof.model.config import DEVICE, HOST, POOLS, Config, Pool
from radixproof.model.key import Key, tokens_of
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.trie import Holder, HolderKind, Page, Trie

CONFIG = Config(
    page_size=2,
    window=2,
    device_pages=4,
    swa_pages=4,
    mamba_states=3,
    host_pages=6,
    swa_host_pages=6,
    mamba_host_states=4,
)


@pytest.fixture
def trie() -> Trie:
    return Trie(CONFIG)


def ends(pages: list[Page]) -> list[int]:
    return [page.end for page in pages]


def test_a_path_is_made_page_by_page_and_found_again(trie: Trie) -> None:
    path = trie.extend(Key((1, 2, 3, 4)))
    assert [page.tokens for page in path] == [(1, 2), (3, 4)]
    assert ends(path) == [2, 4]
    assert trie.walk(Key((1, 2, 3, 4))) == path
    assert trie.extend(Key((1, 2, 3, 4))) == path


@pytest.mark.parametrize(
    ("tokens", "found"),
    [
        ((), 0),
        ((1,), 0),
        ((1, 2), 2),
        ((1, 2, 3), 2),
        ((1, 2, 3, 4), 4),
        ((1, 2, 3, 4, 5), 4),
        ((1, 2, 3, 4, 5, 6), 4),
        ((1, 2, 3, 9), 2),
        ((1, 9, 3, 4), 0),
        ((2, 1), 0),
    ],
)
def test_a_walk_stops_at_the_last_whole_page_in_common(
    trie: Trie, tokens: tuple[int, ...], found: int
) -> None:
    trie.extend(Key((1, 2, 3, 4)))
    assert ends(trie.walk(Key(tokens)))[-1:] == ([found] if found else [])


def test_a_key_shorter_than_a_page_makes_nothing(trie: Trie) -> None:
    assert trie.extend(Key((1,))) == []
    assert trie.root("").children == {}


def test_namespaces_share_nothing(trie: Trie) -> None:
    trie.extend(Key((1, 2)))
    assert trie.walk(Key((1, 2), "a")) == []
    (page,) = trie.extend(Key((1, 2), "a"))
    assert page.namespace == "a"
    assert page is not trie.walk(Key((1, 2)))[0]
    assert page.key() == Key((1, 2), "a")


def test_nodes_are_runs_of_pages_between_cuts(trie: Trie) -> None:
    first, second, third, fourth = trie.extend(Key((1, 2, 3, 4, 5, 6, 7, 8)))
    second.cut = fourth.cut = True
    assert second.node() == [first, second]
    assert fourth.node() == [third, fourth]
    assert first.node_end() is second
    assert third.node_end() is fourth
    assert fourth.node_end() is fourth
    assert third.path() == [first, second, third]
    assert third.key() == Key((1, 2, 3, 4, 5, 6))


def test_pools_count_the_pages_that_they_hold(trie: Trie) -> None:
    first, second = trie.extend(Key((1, 2, 3, 4)))
    assert trie.free(Pool.FULL) == 8
    for page in (first, second):
        trie.put(page, Pool.FULL)
        trie.put(page, Pool.FULL)
    assert trie.free(Pool.FULL) == 4
    assert first.has(Pool.FULL)
    assert not first.has(Pool.FULL_HOST)
    trie.drop(first, Pool.FULL)
    trie.drop(first, Pool.FULL)
    assert trie.free(Pool.FULL) == 6
    assert trie.free(Pool.FULL_HOST) == 12


def test_a_state_takes_one_slot_whatever_the_size_of_a_page(trie: Trie) -> None:
    (page,) = trie.extend(Key((1, 2)))
    trie.put(page, Pool.MAMBA)
    trie.put(page, Pool.FULL)
    assert trie.free(Pool.MAMBA) == 2
    assert trie.free(Pool.FULL) == 6


def test_slots_that_requests_hold_are_not_free(trie: Trie) -> None:
    trie.rows[Pool.FULL] = 3
    trie.rows[Pool.MAMBA] = 1
    assert [trie.free(pool) for pool in POOLS] == [5, 8, 2, 12, 12, 4]


@pytest.mark.parametrize(
    ("changes", "host_only"),
    [
        ([], [0, 0, 0]),
        (["put FULL"], [0, 0, 0]),
        (["put FULL", "put FULL_HOST"], [0, 0, 0]),
        (["put FULL", "put FULL_HOST", "drop FULL"], [1, 0, 0]),
        (["put FULL_HOST"], [1, 0, 0]),
        (["put FULL_HOST", "put FULL"], [0, 0, 0]),
        (["put FULL_HOST", "put FULL", "drop FULL_HOST"], [0, 0, 0]),
        (["put FULL_HOST", "drop FULL_HOST"], [0, 0, 0]),
        (["put FULL_HOST", "put SWA_HOST", "drop SWA_HOST"], [1, 0, 0]),
        (["put FULL", "put FULL_HOST", "put SWA_HOST"], [0, 1, 0]),
        (["put SWA_HOST", "put MAMBA_HOST", "put SWA"], [0, 0, 1]),
        (["put MAMBA_HOST", "put MAMBA", "drop MAMBA"], [0, 0, 1]),
    ],
)
def test_pages_on_the_host_only_are_counted_per_component(
    trie: Trie, changes: list[str], host_only: list[int]
) -> None:
    (page,) = trie.extend(Key((1, 2)))
    for change in changes:
        verb, pool = change.split()
        getattr(trie, verb)(page, Pool[pool])
    assert [len(pages) for pages in trie.host_only] == host_only
    assert page.host_only is bool(host_only[0])


def test_a_removed_page_is_in_no_pool_and_no_order(trie: Trie) -> None:
    first, second = trie.extend(Key((1, 2, 3, 4)))
    for page in (first, second):
        trie.touch([page])
        for pool in Pool:
            trie.put(page, pool)
    trie.remove(second)
    assert trie.walk(Key((1, 2, 3, 4))) == [first]
    assert trie.used == [1] * 6
    for order in (trie.recency, *trie.recency_in):
        assert list(order) == [first]


def test_a_node_is_deleted_with_all_that_hangs_below_it(trie: Trie) -> None:
    first, second, third = trie.extend(Key((1, 2, 3, 4, 5, 6)))
    (other,) = trie.extend(Key((1, 2, 9, 9)))[1:]
    first.cut = third.cut = other.cut = True
    for page in (first, second, third, other):
        trie.touch([page])
        trie.put(page, Pool.FULL_HOST)
    assert trie.subtree(second.node()) == [second, third]
    trie.delete(third.node())
    assert list(trie.recency) == [first, other]
    trie.delete([first])
    assert trie.used == [0] * 6
    assert not trie.recency
    assert trie.root("").children == {}


def test_a_page_with_children_cannot_be_removed(trie: Trie) -> None:
    first, _ = trie.extend(Key((1, 2, 3, 4)))
    with pytest.raises(AssertionError):
        trie.remove(first)


def test_the_last_page_touched_is_the_newest(trie: Trie) -> None:
    one, two = trie.extend(Key((1, 2, 3, 4)))
    (other,) = trie.extend(Key((9, 9)))
    for page in (one, two, other):
        trie.put(page, Pool.FULL)
        trie.touch([page])
    trie.touch([one, two])
    assert list(trie.recency) == list(trie.recency_in[Pool.FULL]) == [other, one, two]


def test_pages_not_on_device_are_in_the_common_order_only(trie: Trie) -> None:
    one, two = trie.extend(Key((1, 2, 3, 4)))
    trie.put(one, Pool.FULL)
    trie.touch([one, two])
    assert list(trie.recency) == [one, two]
    assert list(trie.recency_in[Pool.FULL]) == [one]


@pytest.mark.parametrize("pool", [Pool.SWA, Pool.MAMBA])
def test_windows_and_states_have_orders_of_their_own(trie: Trie, pool: Pool) -> None:
    one, two = trie.extend(Key((1, 2, 3, 4)))
    for page in (one, two):
        trie.put(page, Pool.FULL)
        trie.put(page, pool)
    trie.touch([one])
    assert list(trie.recency_in[pool]) == [one, two]
    trie.renew([one], pool)
    assert list(trie.recency_in[pool]) == [two, one]
    trie.drop(one, pool)
    trie.renew([one], pool)
    assert list(trie.recency_in[pool]) == [two]


def test_changes_are_noted_once_a_page(trie: Trie) -> None:
    (page,) = trie.extend(Key((1, 2)))
    assert not trie.changed
    trie.put(page, Pool.FULL)
    trie.put(page, Pool.FULL_HOST)
    assert list(trie.changed) == [page]
    trie.changed.clear()
    trie.touch([page])
    trie.put(page, Pool.FULL)
    assert not trie.changed


def test_pages_are_spelled_with_what_they_hang_under(trie: Trie) -> None:
    first, second = trie.extend(Key((1, 2, 3, 4)))
    assert spell([first]) == "[1 2]"
    assert spell([second]) == "[1 2 | 3 4]"
    assert spell([first, second]) == "[1 2 3 4]"
    assert spell(trie.extend(Key((5, 6, 7, 8), "a"))[1:]) == "a:[5 6 | 7 8]"


@pytest.mark.parametrize("pool", POOLS)
def test_locks_are_names_in_a_pool(trie: Trie, pool: Pool) -> None:
    (page,) = trie.extend(Key((1, 2)))
    assert not page.locked
    assert not page.host_locked
    page.holders[pool] = (Holder(HolderKind.RECEIPT, "r1"),)
    assert page.locked is (pool in DEVICE)
    assert page.host_locked is (pool in HOST)
    assert [other for other in POOLS if page.locked_in(other)] == [pool]


@pytest.mark.parametrize(
    ("held", "lacking"),
    [
        ("", ""),
        ("FULL", "FULL_HOST"),
        ("FULL FULL_HOST", ""),
        ("FULL FULL_HOST SWA MAMBA", "SWA_HOST MAMBA_HOST"),
        ("FULL SWA SWA_HOST", "FULL_HOST"),
        ("FULL_HOST SWA_HOST", ""),
    ],
)
def test_a_page_lacks_host_copies_of_what_is_on_the_device(
    trie: Trie, held: str, lacking: str
) -> None:
    (page,) = trie.extend(Key((1, 2)))
    for name in held.split():
        trie.put(page, Pool[name])
    assert page.lacking() == [Pool[name] for name in lacking.split()]
    assert page.lacks is bool(lacking)


# -- bigrams ---------------------------------------------------------------------------------------


@pytest.fixture
def pairs() -> Trie:
    return Trie(Config(page_size=2, device_pages=4, host_pages=6, bigram=True))


def test_a_bigram_key_is_seen_as_pairs_of_neighbouring_tokens(pairs: Trie) -> None:
    assert Key((1, 2, 3, 4)).units(bigram=True) == ((1, 2), (2, 3), (3, 4))
    assert pairs.units(Key((1, 2, 3, 4))) == ((1, 2), (2, 3))
    assert pairs.units(Key((1,))) == pairs.units(Key(())) == ()


def test_pages_of_pairs_count_pairs_and_spell_tokens(pairs: Trie) -> None:
    first, second = pairs.extend(Key((1, 2, 3, 4, 5, 6)))
    assert ends([first, second]) == [2, 4]
    assert first.key() == Key((1, 2, 3))
    assert second.key() == Key((1, 2, 3, 4, 5))
    assert spell([first]) == "[1 2 3]"
    assert pairs.walk(second.key()) == [first, second]


def test_bigrams_that_share_a_token_are_not_the_same(pairs: Trie) -> None:
    pairs.extend(Key((1, 2, 3)))
    assert pairs.walk(Key((1, 2, 4))) == []
    assert len(pairs.walk(Key((1, 2, 3, 9)))) == 1


@pytest.mark.parametrize(
    ("units", "tokens"),
    [((), ()), ((4, 5), (4, 5)), (((1, 2),), (1, 2)), (((1, 2), (2, 3)), (1, 2, 3))],
)
def test_units_give_the_tokens_that_they_were_seen_in(
    units: tuple[Any, ...], tokens: tuple[int, ...]
) -> None:
    assert tokens_of(units) == tokens
