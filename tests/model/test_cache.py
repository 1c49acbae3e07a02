"""The operations of the specification, on the model alone: without a system, it makes the strict choice itself.

Trees are written as a table from prefix to what its last page has: ``F`` FULL on device, ``S`` SWA on device, ``f`` and ``s`` the
same on the host, ``|`` the end of a node.
"""

from __future__ import annotations

from random import Random

import pytest

from radixproof.model.cache import Cache, Inserting
from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.eviction import follow_host_eviction
from radixproof.model.operations import Key
from radixproof.model.trie import Page

FULL, SWA = Component
PLAIN = Config()
SELECTIVE = Config(threshold=2)
WINDOWED = Config(window=2, device_pages=12, swa_pages=12, host_pages=24, swa_host_pages=24)
UNBACKED = Config(window=2, device_pages=12, swa_pages=12, host_pages=24, swa_host_pages=24, threshold=99)


def start(config: Config = PLAIN, **rules: bool) -> Cache:
    return Cache(config, Dialect(**rules))


def key(text: str) -> Key:
    """``"1 2 3"``, or ``"a: 1 2 3"`` in a namespace."""
    namespace, _, tokens = text.rpartition(":")
    return Key(tuple(map(int, tokens.split())), namespace)


def put(cache: Cache, text: str, evicted: int = 0, protected: int = 0) -> Inserting:
    insert = cache.insert(key(text), protected, evicted)
    assert cache.finish_insert(insert) == []
    return insert


def page(cache: Cache, text: str) -> Page:
    path = cache.trie.walk(key(text))
    assert path[-1].key() == key(text)
    return path[-1]


def pages(cache: Cache, *texts: str) -> dict[Page, None]:
    return {page(cache, text): None for text in texts}


def tree(cache: Cache) -> dict[str, str]:
    """Every page by its prefix."""
    drawn: dict[str, str] = {}

    def visit(above: Page) -> None:
        for page in above.children.values():
            name = (f"{page.namespace}: " if page.namespace else "") + " ".join(map(str, page.key().tokens))
            letters = "".join(letter for letter, pool in zip("FSfs", Pool, strict=True) if page.has(pool))
            drawn[name] = letters + "|" * page.cut
            visit(page)

    for root in cache.trie.roots.values():
        visit(root)
    return drawn


def lengths(found: tuple[Page, Page]) -> tuple[int, int]:
    return found[0].end, found[1].end


def settle(cache: Cache) -> None:
    cache.writing_check(blocking=True)


# -- matching ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"), [("1 2 3", 3), ("1 2 3 4", 3), ("1 2", 2), ("1 2 9", 2), ("9", 0), ("", 0), ("a: 1 2 3", 0)]
)
def test_a_match_is_the_longest_prefix(text: str, length: int) -> None:
    cache = start()
    put(cache, "1 2 3")
    assert lengths(cache.match(key(text))) == (length, length)


@pytest.mark.parametrize(("text", "length"), [("1 2 3 4", 4), ("1 2 3", 2), ("1", 0), ("1 2 3 4 5", 4), ("1 2 3 9", 2)])
def test_a_match_is_whole_pages(text: str, length: int) -> None:
    cache = start(Config(page_size=2))
    put(cache, "1 2 3 4 5")
    assert tree(cache) == {"1 2": "Ff", "1 2 3 4": "Ff|"}
    assert lengths(cache.match(key(text))) == (length, length)


def held(cache: Cache) -> list[tuple[Key, tuple[bool, ...], set[str], set[str]]]:
    """All that a page is, but for cuts and recency."""
    return [(page.key(), tuple(page.held_in), set(page.holders[0]), set(page.holders[1])) for page in below(cache.trie.root(""))]


def test_a_match_cuts_where_it_ends_and_changes_no_page() -> None:
    cache = start(WINDOWED)
    put(cache, "1 2 3 4")
    cache.lock("r1", key("1 2 3 4"))
    before, used = held(cache), list(cache.trie.used)
    cache.trie.changed.clear()
    cache.match(key("1 2 9"))
    assert held(cache) == before
    assert cache.trie.used == used
    assert not cache.trie.changed
    assert [prefix for prefix, drawn in tree(cache).items() if drawn.endswith("|")] == ["1 2", "1 2 3 4"]


def test_a_match_ends_on_device_and_on_either_tier() -> None:
    cache = start()
    put(cache, "1")
    put(cache, "1 2 3")
    settle(cache)
    cache.evict(1, 0)
    assert tree(cache) == {"1": "Ff|", "1 2": "f", "1 2 3": "f|"}
    assert lengths(cache.match(key("1 2 3"))) == (1, 3)
    assert lengths(cache.match(key("1 2"))) == (1, 2)


def test_a_match_stops_before_a_tombstone_and_goes_on_after_a_window() -> None:
    cache = start(UNBACKED)
    put(cache, "1 2 3 4 5", evicted=2)
    found = [cache.match(Key((1, 2, 3, 4, 5)[:length]))[0].end for length in range(1, 6)]
    assert found == [0, 0, 0, 4, 5]


def test_before_a_tombstone_any_length_will_do() -> None:
    cache = start(UNBACKED)
    put(cache, "1")
    assert lengths(cache.match(key("1"))) == (1, 1)


def test_host_windows_count_for_the_best_prefix() -> None:
    cache = start(WINDOWED)
    put(cache, "1")
    put(cache, "1 2 3")
    settle(cache)
    cache.evict(0, 1)
    assert tree(cache) == {"1": "Ffs|", "1 2": "FSfs", "1 2 3": "FSfs|"}
    assert lengths(cache.match(key("1 2 3"))) == (3, 3)
    cache.match(key("1 2"))
    assert lengths(cache.match(key("1 2"))) == (0, 2)


def test_a_match_makes_its_path_the_most_recent() -> None:
    cache = start()
    put(cache, "1 2 3")
    put(cache, "9")
    cache.match(key("1 2"))
    assert [page.key() for page in cache.trie.order] == [key("1 2 3"), key("9"), key("1"), key("1 2")]


@pytest.mark.parametrize(("limited", "renewed"), [(True, ["2", "3", "4"]), (False, ["1", "2", "3", "4"])])
def test_swa_recency_is_renewed_within_a_window_and_a_page(limited: bool, renewed: list[str]) -> None:
    cache = start(UNBACKED, swa_recency_in_window=limited)
    for text in ("1", "1 2", "1 2 3", "1 2 3 4", "9"):
        put(cache, text)
    cache.match(key("1 2 3 4"))
    order = [str(page.tokens[0]) for page in cache.trie.swa_order]
    assert order[order.index("9") + 1 :] == renewed


# -- inserting -----------------------------------------------------------------------------------------------------------------


def test_a_new_prompt_is_cut_to_one_window() -> None:
    cache = start(WINDOWED)
    assert put(cache, "1 2 3").existing == 0
    assert tree(cache) == {"1": "FSfs|", "1 2": "FSfs", "1 2 3": "FSfs|"}


def test_older_releases_do_not_cut_a_new_prompt() -> None:
    cache = start(WINDOWED, leaf_cut_to_window=False)
    put(cache, "1 2 3")
    assert tree(cache) == {"1": "FSfs", "1 2": "FSfs", "1 2 3": "FSfs|"}


def test_a_prompt_shorter_than_a_page_changes_nothing() -> None:
    cache = start(Config(page_size=4))
    assert put(cache, "1 2 3").path == []
    assert tree(cache) == {}


def test_an_overlapping_prompt_adds_its_rest() -> None:
    cache = start()
    put(cache, "1 2 3")
    assert put(cache, "1 2 9").existing == 2
    assert tree(cache) == {"1": "Ff", "1 2": "Ff|", "1 2 3": "Ff|", "1 2 9": "Ff|"}
    assert put(cache, "1 2").existing == 2
    assert cache.trie.free(Pool.FULL) == 4


def test_namespaces_are_inserted_apart() -> None:
    cache = start()
    put(cache, "1 2")
    assert put(cache, "a: 1 2").existing == 0
    assert tree(cache) == {"1": "Ff", "1 2": "Ff|", "a: 1": "Ff", "a: 1 2": "Ff|"}


@pytest.mark.parametrize(
    ("evicted", "drawn"),
    [
        (0, {"1": "FS|", "1 2": "FS", "1 2 3": "FS|"}),
        (1, {"1": "F|", "1 2": "FS", "1 2 3": "FS|"}),
        (2, {"1": "F", "1 2": "F|", "1 2 3": "FS|"}),
        (3, {"1": "F", "1 2": "F", "1 2 3": "F|"}),
    ],
)
def test_the_swa_boundary_cuts_a_new_leaf(evicted: int, drawn: dict[str, str]) -> None:
    cache = start(UNBACKED)
    put(cache, "1 2 3", evicted)
    assert tree(cache) == drawn


@pytest.mark.parametrize(
    ("evicted", "drawn"),
    [
        (0, {"1": "FS", "1 2": "FS|", "1 2 3": "FS", "1 2 3 4": "FS|"}),
        (1, {"1": "F|", "1 2": "FS|", "1 2 3": "FS", "1 2 3 4": "FS|"}),
        (2, {"1": "F", "1 2": "F|", "1 2 3": "FS", "1 2 3 4": "FS|"}),
        (3, {"1": "F", "1 2": "F|", "1 2 3": "F|", "1 2 3 4": "FS|"}),
    ],
)
def test_tombstones_recover_from_the_swa_boundary_on(evicted: int, drawn: dict[str, str]) -> None:
    cache = start(UNBACKED)
    put(cache, "1 2", evicted=2)
    assert tree(cache) == {"1": "F", "1 2": "F|"}
    put(cache, "1 2 3 4", evicted)
    assert tree(cache) == drawn


@pytest.mark.parametrize(
    ("protected", "drawn"), [(0, {"1": "FS", "1 2": "FS|"}), (1, {"1": "F|", "1 2": "FS|"}), (2, {"1": "F", "1 2": "F|"})]
)
def test_a_protected_prefix_does_not_recover(protected: int, drawn: dict[str, str]) -> None:
    """Its slots are the tree's own: the request has no SWA state for it."""
    cache = start(UNBACKED)
    put(cache, "1 2", evicted=2)
    put(cache, "1 2", protected=protected)
    assert tree(cache) == drawn


def test_live_swa_stays_whatever_the_boundary_of_a_later_insert() -> None:
    cache = start(UNBACKED)
    put(cache, "1 2")
    put(cache, "1 2", evicted=2)
    assert tree(cache) == {"1": "FS", "1 2": "FS|"}


@pytest.mark.parametrize(
    ("evicted", "drawn"),
    [
        (0, {"1": "FSfs", "1 2": "FSfs|"}),
        (1, {"1": "Ffs|", "1 2": "FSfs|"}),
        (2, {"1": "Ffs", "1 2": "Ffs|"}),
    ],
)
def test_a_host_only_node_revives_and_keeps_its_host_copy(evicted: int, drawn: dict[str, str]) -> None:
    cache = start(WINDOWED)
    put(cache, "1 2")
    settle(cache)
    cache.evict(2, 0)
    assert tree(cache) == {"1": "fs", "1 2": "fs|"}
    assert put(cache, "1 2", evicted).existing == 2
    assert tree(cache) == drawn
    assert cache.in_flight == []


def test_an_insert_makes_its_path_the_most_recent() -> None:
    cache = start()
    put(cache, "1 2")
    put(cache, "9")
    put(cache, "1 3")
    assert [page.key() for page in cache.trie.order] == [key("1 2"), key("9"), key("1"), key("1 3")]


# -- backing up ----------------------------------------------------------------------------------------------------------------


def test_write_through_backs_up_at_once_and_locks_until_the_ack() -> None:
    cache = start(WINDOWED)
    put(cache, "1 2")
    (backup,) = cache.in_flight
    assert [page.end for page in backup.node] == [1, 2]
    assert all(page.held(FULL) and page.held(SWA) for page in backup.node)
    settle(cache)
    assert not any(page.locked for page in backup.node)
    assert cache.receipts == {}


def test_a_threshold_of_two_waits_for_the_second_insert() -> None:
    cache = start(SELECTIVE)
    put(cache, "1 2")
    cache.match(key("1 2"))
    assert tree(cache) == {"1": "F", "1 2": "F|"}
    put(cache, "1")
    assert tree(cache) == {"1": "Ff|", "1 2": "F|"}
    put(cache, "1 2")
    assert tree(cache) == {"1": "Ff|", "1 2": "Ff|"}
    assert [backup.node[-1].end for backup in cache.in_flight] == [1, 2]


def test_tombstones_are_backed_up_without_swa() -> None:
    cache = start(WINDOWED)
    put(cache, "1 2 3", evicted=2)
    assert tree(cache) == {"1": "Ff", "1 2": "Ff|", "1 2 3": "FSfs|"}
    assert [len(backup.node) for backup in cache.in_flight] == [2, 1]


def test_ancestors_go_first() -> None:
    """Where only the lowest piece of a split leaf is hit, it takes the pieces above it along."""
    cache = start(WINDOWED, hits_on_split_leaf=False)
    put(cache, "1 2 3", evicted=2)
    assert [page(cache, text).hits for text in ("1", "1 2", "1 2 3")] == [0, 0, 1]
    assert [backup.node[-1].end for backup in cache.in_flight] == [2, 3]


@pytest.mark.parametrize(("kept", "hits"), [(True, [1, 1, 1]), (False, [0, 0, 1])])
def test_hits_when_a_node_is_cut(kept: bool, hits: list[int]) -> None:
    cache = start(SELECTIVE, split_keeps_hits=kept)
    put(cache, "1 2 3")
    cache.match(key("1 2"))
    assert [page(cache, text).hits for text in ("1", "1 2", "1 2 3")] == hits


def test_backups_of_one_insert_share_the_room_on_the_host() -> None:
    cache = start(Config(window=2, swa_pages=8, host_pages=2, swa_host_pages=8))
    put(cache, "1 2 3", evicted=1)
    assert tree(cache) == {"1": "Ff|", "1 2": "FS", "1 2 3": "FS|"}


def test_host_only_data_makes_room() -> None:
    cache = start(Config(host_pages=2))
    put(cache, "1")
    put(cache, "2")
    settle(cache)
    cache.evict(1, 0)
    put(cache, "3")
    assert tree(cache) == {"2": "Ff|", "3": "Ff|"}


@pytest.mark.parametrize("config", [Config(host_pages=1), Config(window=2, swa_pages=8, host_pages=16, swa_host_pages=1)])
def test_without_room_on_the_host_nothing_is_backed_up_and_nothing_owed(config: Config) -> None:
    cache = start(config)
    put(cache, "1 2")
    assert cache.in_flight == []
    assert not any(page.owed for page in cache.trie.order)
    *_, breaches = cache.evict(2, 0)
    assert breaches == []
    assert tree(cache) == {}


def test_a_node_that_is_not_backed_up_although_there_is_room_is_owed() -> None:
    cache = start()
    insert = cache.insert(key("1 2"), 0, 0)
    assert cache.finish_insert(insert, started=set()) == []
    assert all(page.owed for page in insert.path)
    *_, (breach,) = cache.evict(2, 0)
    assert breach.signature == "PROGRESS/never-backed-up"
    assert breach.witness is not None
    assert (breach.witness.prefix, breach.witness.pool, breach.witness.held) == (key("1 2"), Pool.FULL_HOST, True)


def test_only_as_much_is_owed_as_there_is_room_for() -> None:
    cache = start(Config(host_pages=3))
    cache.finish_insert(cache.insert(key("1 2"), 0, 0), started=set())
    insert = cache.insert(key("1 2 3 4"), 0, 0)
    cache.finish_insert(insert, started=set())
    assert [page.owed for page in insert.path] == [True, True, False, False]


def test_a_debt_is_paid_by_a_later_backup() -> None:
    cache = start()
    cache.finish_insert(cache.insert(key("1 2"), 0, 0), started=set())
    put(cache, "1 2")
    assert not any(page.owed for page in cache.trie.order)
    settle(cache)
    assert cache.evict(2, 0) == (2, 0, [])
    assert tree(cache) == {"1": "f", "1 2": "f|"}


def test_a_backup_before_the_threshold_is_a_breach_and_adopted() -> None:
    cache = start(SELECTIVE)
    insert = cache.insert(key("1 2"), 0, 0)
    (breach,) = cache.finish_insert(insert, started=set(insert.path))
    assert breach.signature == "BACKUP/early"
    assert tree(cache) == {"1": "Ff", "1 2": "Ff|"}


def test_the_backups_that_a_system_started_are_adopted() -> None:
    cache = start(WINDOWED)
    insert = cache.insert(key("1 2 3"), 0, 2)
    cache.finish_insert(insert, started=set(insert.path[:2]))
    assert tree(cache) == {"1": "Ff", "1 2": "Ff|", "1 2 3": "FS|"}
    assert [page.owed for page in insert.path] == [False, False, True]


# -- copies --------------------------------------------------------------------------------------------------------------------


def test_polling_acknowledges_the_copies_that_ran_in_queue_order() -> None:
    cache = start()
    for text in ("1", "2", "3"):
        put(cache, text)
    assert cache.writing_check(blocking=False) == []
    assert [backup.node[-1].key() for backup in cache.run_copies(2)] == [key("1"), key("2")]
    assert page(cache, "1").locked
    assert [backup.node[-1].key() for backup in cache.writing_check(blocking=False)] == [key("1"), key("2")]
    assert [page(cache, text).locked for text in "123"] == [False, False, True]
    assert cache.run_copies(5) == cache.in_flight
    assert cache.run_copies(5) == []


def test_blocking_waits_for_all_copies() -> None:
    cache = start()
    for text in ("1", "2"):
        put(cache, text)
    assert len(cache.writing_check(blocking=True)) == 2
    assert cache.in_flight == []
    assert cache.writing_check(blocking=True) == []


def test_a_backup_follows_a_split() -> None:
    """Both pieces stay locked until the one ack."""
    cache = start()
    put(cache, "1 2 3")
    cache.match(key("1"))
    assert [page(cache, text).locked for text in ("1", "1 2", "1 2 3")] == [True] * 3
    assert len(cache.writing_check(blocking=True)) == 1
    assert not any(page.locked for page in cache.trie.order)


# -- locking -------------------------------------------------------------------------------------------------------------------


def holders(cache: Cache, component: Component) -> dict[int, set[str]]:
    """Names by the end of each locked page; for trees of one path."""
    return {page.end: set(page.holders[component]) for page in cache.trie.order if page.holders[component]}


def test_a_lock_covers_the_path_in_full_and_a_window_in_swa() -> None:
    cache = start(UNBACKED)
    put(cache, "1 2 3")
    for text in ("1", "1 2"):
        cache.match(key(text))
    assert cache.lock("r1", key("1 2 3 4")).end == 3
    assert holders(cache, FULL) == {1: {"r1"}, 2: {"r1"}, 3: {"r1"}}
    assert holders(cache, SWA) == {2: {"r1"}, 3: {"r1"}}


def test_a_lock_covers_whole_nodes() -> None:
    cache = start(UNBACKED, leaf_cut_to_window=False)
    put(cache, "1 2 3")
    cache.lock("r1", key("1 2 3"))
    assert holders(cache, SWA) == {1: {"r1"}, 2: {"r1"}, 3: {"r1"}}


def test_a_receipt_survives_splits() -> None:
    cache = start(UNBACKED, leaf_cut_to_window=False)
    put(cache, "1 2 3 4")
    cache.lock("r1", key("1 2 3 4"))
    for text in ("1", "1 2", "1 2 3"):
        cache.match(key(text))
    cache.lock("r2", key("1 2 3 4"))
    assert holders(cache, SWA) == {1: {"r1"}, 2: {"r1"}, 3: {"r1", "r2"}, 4: {"r1", "r2"}}
    cache.unlock("r1")
    assert holders(cache, FULL) == {end: {"r2"} for end in (1, 2, 3, 4)}
    assert holders(cache, SWA) == {3: {"r2"}, 4: {"r2"}}
    cache.unlock("r2")
    assert not any(page.locked for page in cache.trie.order)


@pytest.mark.parametrize(("segments", "covered"), [(True, {3, 4}), (False, {2, 4})])
def test_a_tombstone_under_a_lock(segments: bool, covered: set[int]) -> None:
    """It counts, or it is passed over and covers nothing; a value that arrives later does not change the receipt."""
    cache = start(UNBACKED, segment_locks=segments)
    put(cache, "1 2 3", evicted=3)
    cache.match(key("1"))
    cache.match(key("1 2"))
    put(cache, "1 2", evicted=1)
    put(cache, "1 2 3 4", evicted=3)
    assert tree(cache) == {"1": "F|", "1 2": "FS|", "1 2 3": "F|", "1 2 3 4": "FS|"}
    cache._hold("r1", page(cache, "1 2 3 4"))
    assert set(holders(cache, SWA)) == covered
    put(cache, "1 2 3 4")
    assert tree(cache)["1 2 3"] == "FS|"
    assert set(holders(cache, SWA)) == covered
    cache.unlock("r1")
    assert not any(page.locked for page in cache.trie.order)


def test_an_empty_match_locks_nothing() -> None:
    cache = start(WINDOWED)
    assert cache.lock("r1", key("1")).end == 0
    assert cache.receipts.keys() == {"r1"}
    cache.unlock("r1")


# -- evicting ------------------------------------------------------------------------------------------------------------------


def test_the_least_recently_used_leaf_goes_first() -> None:
    cache = start()
    for text in ("1", "2", "3"):
        put(cache, text)
    settle(cache)
    cache.match(key("1"))
    assert cache.evict(1, 0) == (1, 0, [])
    assert tree(cache) == {"1": "Ff|", "2": "f|", "3": "Ff|"}


def test_a_backed_leaf_is_demoted_and_another_is_deleted() -> None:
    cache = start(SELECTIVE)
    for text in ("1", "1", "2"):
        put(cache, text)
    settle(cache)
    assert cache.evict(2, 0) == (2, 0, [])
    assert tree(cache) == {"1": "f|"}


def test_parents_follow_their_children_and_nodes_go_whole() -> None:
    cache = start(SELECTIVE)
    put(cache, "1 2 3")
    put(cache, "1 4")
    assert tree(cache) == {"1": "Ff|", "1 2": "F", "1 2 3": "F|", "1 4": "F|"}
    settle(cache)
    assert cache.evict(1, 0) == (2, 0, [])
    assert cache.evict(2, 0) == (2, 0, [])
    assert tree(cache) == {"1": "f|"}


@pytest.mark.parametrize("holder", ["a receipt", "a backup"])
def test_what_is_held_stays(holder: str) -> None:
    cache = start()
    put(cache, "1 2")
    if holder == "a receipt":
        settle(cache)
        cache.lock("r1", key("1"))
    assert cache.evict(9, 0) == ((1, 0, []) if holder == "a receipt" else (0, 0, []))
    assert tree(cache)["1"].startswith("F")


def test_nothing_asked_nothing_freed() -> None:
    cache = start(UNBACKED)
    put(cache, "1")
    assert cache.evict(0, 0) == (0, 0, [])


def test_a_leaf_takes_its_swa_along_and_that_counts() -> None:
    cache = start(UNBACKED)
    put(cache, "1")
    put(cache, "2")
    assert cache.evict(1, 1) == (1, 1, [])
    assert tree(cache) == {"2": "FS|"}


def test_swa_is_taken_from_interior_nodes_and_leaves_go_whole() -> None:
    cache = start(WINDOWED)
    put(cache, "1")
    put(cache, "1 2")
    settle(cache)
    assert cache.evict(0, 1) == (0, 1, [])
    assert tree(cache) == {"1": "Ffs|", "1 2": "FSfs|"}
    assert cache.evict(0, 1) == (1, 1, [])
    assert tree(cache) == {"1": "Ffs|", "1 2": "fs|"}


def test_a_locked_window_keeps_its_swa() -> None:
    cache = start(UNBACKED)
    put(cache, "1 2")
    put(cache, "1 2 3 4")
    cache.lock("r1", key("1 2 3 4"))
    assert cache.evict(0, 9) == (0, 2, [])
    assert tree(cache) == {"1": "F", "1 2": "F|", "1 2 3": "FS", "1 2 3 4": "FS|"}


def gone(cache: Cache, full: tuple[str, ...] = (), swa: tuple[str, ...] = (), host: tuple[str, ...] = ()) -> list[dict[Page, None]]:
    """A system's choice, per pool."""
    return [pages(cache, *full), pages(cache, *swa), pages(cache, *host), {}]


@pytest.mark.parametrize(
    ("asked", "taken", "freed", "signatures"),
    [
        (1, ("1",), 1, []),
        (2, ("1", "2"), 2, []),
        (1, ("2",), 1, ["RECENCY/access-time"]),
        (2, ("1", "3"), 2, ["RECENCY/access-time"]),
        (1, (), 0, ["PROGRESS/stopped-early"]),
        (3, ("1", "2"), 2, ["PROGRESS/stopped-early"]),
        (1, ("1", "2"), 2, ["PROGRESS/freed-too-much"]),
        (0, ("1",), 1, ["PROGRESS/freed-too-much"]),
    ],
)
def test_the_choice_of_victims_is_judged_and_adopted(asked: int, taken: tuple[str, ...], freed: int, signatures: list[str]) -> None:
    cache = start()
    for text in ("1", "2", "3"):
        put(cache, text)
    settle(cache)
    full, _, breaches = cache.evict(asked, 0, gone(cache, taken))
    assert full == freed
    assert [breach.signature for breach in breaches] == signatures
    assert tree(cache) == {text: "f|" if text in taken else "Ff|" for text in ("1", "2", "3")}


def test_one_victim_may_free_more_than_was_asked_for() -> None:
    cache = start()
    put(cache, "1 2 3")
    settle(cache)
    assert cache.evict(1, 0, gone(cache, ("1", "1 2", "1 2 3"))) == (3, 0, [])


def test_a_small_victim_before_a_large_one_was_taken_out_of_order() -> None:
    """Both went where the older one alone would have been enough: that is the order's fault, and not that of the amount."""
    cache = start()
    put(cache, "1 2")
    put(cache, "3")
    settle(cache)
    *_, breaches = cache.evict(2, 0, gone(cache, ("1", "1 2", "3")))
    assert [breach.signature for breach in breaches] == ["RECENCY/access-time"]


def test_swa_victims_are_judged_by_the_order_of_swa() -> None:
    cache = start(UNBACKED)
    put(cache, "1")
    put(cache, "1 2")
    put(cache, "1 2 3")
    *_, breaches = cache.evict(0, 1, gone(cache, swa=("1 2",)))
    assert [breach.signature for breach in breaches] == ["RECENCY/swa-list"]
    assert tree(cache) == {"1": "FS|", "1 2": "F|", "1 2 3": "FS|"}


# -- evicting on the host ------------------------------------------------------------------------------------------------------


def on_host(config: Config, *texts: str) -> Cache:
    """These prompts, on the host only."""
    cache = start(config)
    for text in texts:
        put(cache, text)
    settle(cache)
    cache.evict(config.slots(Pool.FULL), 0)
    assert set(cache.trie.order) == {page for page in cache.trie.order if page.host_only}
    return cache


def test_host_leaves_are_deleted_oldest_first_and_parents_follow() -> None:
    cache = on_host(PLAIN, "1", "1 2", "3")
    assert cache.evict_host(1, FULL) == (1, [])
    assert tree(cache) == {"1": "f|", "3": "f|"}
    assert cache.evict_host(9, FULL) == (2, [])
    assert tree(cache) == {}


def test_host_copies_of_what_is_on_device_stay() -> None:
    cache = start(WINDOWED)
    put(cache, "1")
    settle(cache)
    for component in Component:
        assert cache.evict_host(9, component) == (0, [])
    assert tree(cache) == {"1": "FSfs|"}


def test_host_swa_is_dropped_from_interior_nodes_and_leaves_go_whole() -> None:
    cache = on_host(WINDOWED, "1", "1 2")
    assert cache.evict_host(1, SWA) == (1, [])
    assert tree(cache) == {"1": "f|", "1 2": "fs|"}
    assert cache.evict_host(1, SWA) == (1, [])
    assert tree(cache) == {"1": "f|"}


@pytest.mark.parametrize(
    ("asked", "taken", "signatures"),
    [
        (1, ("1",), []),
        (1, ("2",), ["RECENCY/access-time"]),
        (1, (), ["PROGRESS/host-stopped-early"]),
        (2, ("1",), ["PROGRESS/host-stopped-early"]),
    ],
)
def test_the_choice_on_the_host_is_judged_and_adopted(asked: int, taken: tuple[str, ...], signatures: list[str]) -> None:
    cache = on_host(PLAIN, "1", "2")
    freed, breaches = cache.evict_host(asked, FULL, gone(cache, host=taken))
    assert freed == len(taken)
    assert [breach.signature for breach in breaches] == signatures
    assert set(tree(cache)) == {"1", "2"} - set(taken)


def test_what_made_room_on_the_host_is_followed_if_it_could_go() -> None:
    cache = on_host(PLAIN, "2", "2 3", "1")
    assert follow_host_eviction(cache.trie, (2, 0), gone(cache, host=("2", "2 3"))) == []
    assert tree(cache) == {"1": "f|"}
    put(cache, "1")
    assert follow_host_eviction(cache.trie, (1, 0), gone(cache, host=("1",))) == []
    assert tree(cache) == {"1": "Ff|"}


@pytest.mark.parametrize(
    ("wanted", "went", "signature"),
    [
        ((1, 0), ("9",), "RECENCY/access-time"),
        ((0, 0), ("1",), "PROGRESS/host-freed-too-much"),
        ((1, 0), ("1", "5"), "PROGRESS/host-freed-too-much"),
    ],
)
def test_what_went_from_the_host_went_in_order_and_was_not_too_much(
    wanted: tuple[int, int], went: tuple[str, ...], signature: str
) -> None:
    cache = on_host(PLAIN, "1", "5", "9")
    (breach,) = follow_host_eviction(cache.trie, wanted, gone(cache, host=went))
    assert breach.signature == signature


# -- alone ---------------------------------------------------------------------------------------------------------------------


def consistent(cache: Cache) -> None:
    """What the model's counts and orders must agree on, and the shape of every path."""
    trie = cache.trie
    reached = [page for root in trie.roots.values() for page in below(root)]
    assert set(reached) == set(trie.order)
    for pool in Pool:
        assert trie.used[pool] == sum(page.has(pool) for page in reached) <= cache.config.pages(pool)
    assert trie.host_only == sum(page.host_only for page in reached)
    assert set(trie.device_order) == {page for page in reached if page.has(Pool.FULL)}
    assert set(trie.swa_order) == {page for page in reached if page.has(Pool.SWA)}
    assert [page for page in trie.order if page.has(Pool.FULL)] == list(trie.device_order)
    for one in reached:
        assert one.parent is not None
        assert one.cut or len(one.children) == 1
        assert one.has(Pool.FULL) or one.has(Pool.FULL_HOST)
        for pool in (Pool.FULL, Pool.FULL_HOST):
            assert one.parent.parent is None or one.parent.has(pool) or not one.has(pool)
        if not one.cut:
            assert all(child.held_in == one.held_in for child in one.children.values())
    for backup in cache.in_flight:
        assert all(page.held(FULL) and page.has(Pool.FULL_HOST) for page in backup.node)


def below(page: Page) -> list[Page]:
    return [found for child in page.children.values() for found in (child, *below(child))]


SHAPES = {
    "full": PLAIN,
    "full, page 2, selective, small host": Config(page_size=2, device_pages=5, host_pages=3, threshold=2),
    "swa, small host": Config(window=2, device_pages=6, swa_pages=5, host_pages=5, swa_host_pages=3),
    "swa, page 2, window 3": Config(page_size=2, window=3, device_pages=6, swa_pages=5, host_pages=12, swa_host_pages=8),
}


@pytest.mark.parametrize("config", SHAPES.values(), ids=list(SHAPES))
@pytest.mark.parametrize("seed", range(5))
def test_the_model_runs_alone(config: Config, seed: int) -> None:
    """Random operations with the model's own choices: no breach, consistent throughout, and empty in the end."""
    rng, cache = Random(seed), start(config)
    names: list[str] = []
    for step in range(150):
        random_step(cache, rng, names, f"r{step}")
        consistent(cache)
    for name in names:
        cache.unlock(name)
    settle(cache)
    assert not any(page.locked for page in cache.trie.order)
    assert cache.evict(config.slots(Pool.FULL), 0)[2] == []
    assert cache.evict_host(config.slots(Pool.FULL_HOST), FULL)[1] == []
    assert tree(cache) == {}
    assert all(cache.trie.free(pool) == config.slots(pool) for pool in Pool)


def random_step(cache: Cache, rng: Random, names: list[str], fresh: str) -> None:
    """One operation; ``names`` are the receipts that are out, ``fresh`` is a name for another."""
    config = cache.config
    prompt = Key(tuple(rng.choices((1, 2), k=rng.randrange(5 * config.page_size))), rng.choice(("", "", "a")))
    match rng.choice("IIIMLUEHCW"):
        case "I":
            insert_if_room(cache, rng, prompt)
        case "M":
            device, best = cache.match(prompt)
            assert device.end <= best.end <= config.floor(len(prompt.tokens))
        case "L":
            names.append(fresh)
            cache.lock(fresh, prompt)
        case "U" if names:
            cache.unlock(names.pop(rng.randrange(len(names))))
        case "E":
            assert cache.evict(rng.randrange(4), rng.randrange(4) if config.window else 0)[2] == []
        case "H":
            assert cache.evict_host(rng.randrange(4), rng.choice(config.components))[1] == []
        case "C":
            cache.run_copies(rng.randrange(3))
        case "W":
            cache.writing_check(rng.random() < 0.5)


def insert_if_room(cache: Cache, rng: Random, prompt: Key) -> None:
    config = cache.config
    need, pools = config.floor(len(prompt.tokens)), [Pool(component) for component in config.components]
    missing = max(0, *(need - cache.trie.free(pool) for pool in pools))
    assert cache.evict(missing, missing if config.window else 0)[2] == []
    if all(cache.trie.free(pool) >= need for pool in pools):
        evicted = rng.randrange(0, need + 1, config.page_size) if config.window else 0
        assert cache.finish_insert(cache.insert(prompt, 0, evicted)) == []
