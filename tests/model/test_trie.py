"""The trie: pages by prefix, what each pool holds, and the order of use."""

from __future__ import annotations

import pytest

from radixproof.model.config import Config, Pool
from radixproof.model.operations import Key
from radixproof.model.trie import Page, Trie, spell

CONFIG = Config(page_size=2, device_pages=4, host_pages=6)


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
def test_a_walk_stops_at_the_last_whole_page_in_common(trie: Trie, tokens: tuple[int, ...], found: int) -> None:
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


@pytest.mark.parametrize(
    ("changes", "host_only"),
    [
        ([], 0),
        (["put FULL"], 0),
        (["put FULL", "put FULL_HOST"], 0),
        (["put FULL", "put FULL_HOST", "drop FULL"], 1),
        (["put FULL_HOST"], 1),
        (["put FULL_HOST", "put FULL"], 0),
        (["put FULL_HOST", "put FULL", "drop FULL_HOST"], 0),
        (["put FULL_HOST", "drop FULL_HOST"], 0),
        (["put FULL_HOST", "put SWA_HOST", "drop SWA_HOST"], 1),
    ],
)
def test_pages_on_the_host_only_are_counted(trie: Trie, changes: list[str], host_only: int) -> None:
    (page,) = trie.extend(Key((1, 2)))
    for change in changes:
        verb, pool = change.split()
        getattr(trie, verb)(page, Pool[pool])
    assert trie.host_only == host_only
    assert page.host_only is bool(host_only)


def test_a_removed_page_is_in_no_pool_and_no_order(trie: Trie) -> None:
    first, second = trie.extend(Key((1, 2, 3, 4)))
    for page in (first, second):
        trie.touch([page])
        for pool in Pool:
            trie.put(page, pool)
    trie.remove(second)
    assert trie.walk(Key((1, 2, 3, 4))) == [first]
    assert trie.used == [1, 1, 1, 1]
    for order in (trie.order, trie.device_order, trie.swa_order):
        assert list(order) == [first]


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
    assert list(trie.order) == list(trie.device_order) == [other, one, two]


def test_pages_not_on_device_are_in_the_common_order_only(trie: Trie) -> None:
    one, two = trie.extend(Key((1, 2, 3, 4)))
    trie.put(one, Pool.FULL)
    trie.touch([one, two])
    assert list(trie.order) == [one, two]
    assert list(trie.device_order) == [one]


def test_swa_has_an_order_of_its_own(trie: Trie) -> None:
    one, two = trie.extend(Key((1, 2, 3, 4)))
    for page in (one, two):
        trie.put(page, Pool.FULL)
        trie.put(page, Pool.SWA)
    trie.touch([one])
    assert list(trie.swa_order) == [one, two]
    trie.touch_swa([one])
    assert list(trie.swa_order) == [two, one]
    trie.drop(one, Pool.SWA)
    trie.touch_swa([one])
    assert list(trie.swa_order) == [two]


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


def test_locks_are_sets_of_names(trie: Trie) -> None:
    (page,) = trie.extend(Key((1, 2)))
    assert not page.locked
    page.holders[1].add("r1")
    assert page.locked
    assert [page.held(component) for component in CONFIG.components] == [False]
