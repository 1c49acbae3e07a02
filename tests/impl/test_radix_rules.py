"""The rules of the radix cache, one at a time. Keys are strings of one letter per token."""

from __future__ import annotations

from typing import Any

import pytest

from radixproof.impl.observation import NodeView, Observation, Whole
from radixproof.impl.radix.allocator import SlotError
from radixproof.impl.radix.locks import ReceiptError
from radixproof.impl.radix.system import target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key

NEVER = 99
"""A threshold that keeps backups out of a test."""

SWA_DEVICE, MAMBA_DEVICE, SWA_HOST, MAMBA_HOST = range(4)
"""Orders of use, as `Whole.orders` has them."""


class Cache:
    """A system, spoken to in strings."""

    def __init__(self, threshold: int = NEVER, window: int | None = None, page_size: int = 1, **options: int) -> None:
        sizes = {"device_pages": 20, "host_pages": 20}
        if window is not None:
            sizes |= {"swa_pages": 20, "swa_host_pages": 20}
        self.config = Config(page_size=page_size, window=window, threshold=threshold, **(sizes | options))
        self.system = target().build(self.config)

    def put(self, text: str, evicted: int = 0, reuse: bool = False, namespace: str = "") -> int:
        """What a request does: allocate, compute, slide the window, insert. Content of a slot: the position and its letter."""
        key = Key(tuple(map(ord, text)), namespace)
        held = self.system.match(key).slots if reuse else []
        fresh = self.system.allocate(self.config.floor(len(text)) - len(held))
        assert fresh is not None
        self.system.write(fresh, [1000 * at + ord(text[at]) for at in range(len(held), len(held) + len(fresh))])
        self.system.free_swa(fresh[: max(0, evicted - len(held))])
        return self.system.insert(key, held + fresh, len(held), evicted).reused

    def match(self, text: str, namespace: str = "") -> tuple[int, int]:
        found = self.system.match(Key(tuple(map(ord, text)), namespace))
        expected = [1000 * at + ord(text[at]) for at in range(found.device)]
        assert self.system.read(Pool.FULL, found.slots) == expected
        return found.device, found.best

    def lock(self, text: str) -> Any:
        return self.system.lock(self.system.match(Key(tuple(map(ord, text)))).anchor)

    def see(self) -> Observation:
        return self.system.observe(whole=True)

    def whole(self) -> Whole:
        whole = self.see().whole
        assert whole is not None
        return whole

    def nodes(self) -> dict[str, NodeView]:
        """Nodes by the text from the root to their end, in default namespace."""
        texts = {0: ""}
        found = {}
        for node in self.see().nodes:
            texts[node.id] = texts[node.parent] + "".join(map(chr, node.segment))
            found[texts[node.id]] = node
        return found

    def held(self, pool: Pool) -> set[str]:
        """The nodes that have something in a pool."""
        return {text for text, node in self.nodes().items() if node.slots[pool] is not None}

    def locks(self, component: Component) -> dict[str, int]:
        return {text: node.locks[component] for text, node in self.nodes().items()}

    def order(self, which: int) -> list[str]:
        """One of the orders of use, as texts, oldest first."""
        texts = {node.id: text for text, node in self.nodes().items()}
        return [texts[node] for node in self.whole().orders[which] or ()]

    def settle(self) -> None:
        self.system.writing_check(blocking=True)


# Matching (semantics 3)


def test_match_inside_a_node_splits_it_and_the_lower_half_keeps_its_identity() -> None:
    cache = Cache()
    cache.put("abcd")
    whole = cache.nodes()["abcd"]
    assert cache.match("abx") == (2, 2)
    nodes = cache.nodes()
    assert list(nodes) == ["ab", "abcd"]
    assert nodes["abcd"].id == whole.id
    assert (nodes["ab"].slots[Pool.FULL] or ()) + (nodes["abcd"].slots[Pool.FULL] or ()) == whole.slots[Pool.FULL]


def test_match_compares_whole_pages() -> None:
    cache = Cache(page_size=2)
    cache.put("abcdef")
    assert cache.match("abcxef") == (2, 2)
    assert cache.match("abcde") == (4, 4)
    assert cache.match("a") == (0, 0)


def test_both_halves_of_a_split_have_the_age_of_the_whole() -> None:
    cache = Cache(window=3)
    cache.put("cc")
    receipt = cache.lock("cc")
    cache.put("aaaa", evicted=4)
    cache.put("bb")
    assert cache.match("aa") == (0, 0), "a tombstone: nothing to renew"
    assert cache.system.evict(2, 0, 0) == (2, 0, 0)
    cache.system.unlock(receipt)
    assert set(cache.nodes()) == {"cc", "aa", "bb"}
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"aa", "bb"}
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"bb"}


def test_match_does_not_renew_what_it_could_not_use() -> None:
    cache = Cache(window=3)
    cache.put("ab")
    cache.put("abcd", evicted=4)
    cache.put("xy")
    assert cache.match("abcd") == (2, 2)
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"ab", "xy"}


def test_split_keeps_the_place_in_the_order_of_swa() -> None:
    cache = Cache(window=4)
    cache.put("abcdef", evicted=2)
    cache.put("xy")
    assert cache.match("abcd") == (0, 0)
    assert cache.order(SWA_DEVICE) == ["abcd", "abcdef", "xy"]
    cache.match("x")
    assert cache.order(SWA_DEVICE) == ["abcd", "abcdef", "xy", "x"]


def test_insert_renews_what_it_walks() -> None:
    cache = Cache(window=2)
    cache.put("ab")
    cache.put("xy")
    cache.put("ab")
    assert cache.order(SWA_DEVICE) == ["xy", "ab"]
    cache.system.evict(2, 0, 0)
    assert set(cache.nodes()) == {"ab"}


def test_namespaces_share_nothing() -> None:
    cache = Cache()
    cache.put("abcd", namespace="tenant")
    assert cache.match("abcd") == (0, 0)
    assert cache.put("abcd") == 0
    assert cache.match("abcd", "tenant") == (4, 4)
    assert len(cache.see().nodes) == 2


def test_the_half_of_a_node_that_was_not_matched_keeps_its_age() -> None:
    cache = Cache()
    cache.put("aaaa")
    cache.put("bb")
    cache.match("aa")
    cache.system.evict(2, 0, 0)
    assert list(cache.nodes()) == ["aa", "bb"]


def test_insert_does_not_renew_the_half_that_it_leaves() -> None:
    cache = Cache()
    cache.put("aaaa")
    cache.put("bb")
    cache.put("aac")
    cache.system.evict(2, 0, 0)
    assert list(cache.nodes()) == ["aa", "aac", "bb"]


def test_after_a_tombstone_a_whole_window_must_follow() -> None:
    cache = Cache(window=3)
    cache.put("abcdef", evicted=4)
    assert cache.match("abcdef") == (0, 0)
    cache.put("abcdefg", evicted=4)
    assert cache.match("abcdefg") == (7, 7)
    cache.put("xy")
    assert cache.match("xy") == (2, 2), "no tombstone, no need for a window"


def test_best_counts_windows_on_the_host_and_device_does_not() -> None:
    cache = Cache(window=2, threshold=1)
    cache.put("ab")
    cache.put("abcd")
    cache.put("abcde")
    cache.settle()
    cache.system.evict(0, 2, 0)
    assert cache.held(Pool.SWA) == {"abcd", "abcde"}
    assert cache.match("ab") == (0, 2)
    assert cache.match("abcde") == (5, 5)


def test_match_renews_swa_within_window_and_page_deepest_most() -> None:
    cache = Cache(window=2)
    for end in range(1, 7):
        cache.put("abcdef"[:end])
    cache.put("xyz")
    before = cache.order(SWA_DEVICE)
    cache.match("abcdef")
    assert cache.order(SWA_DEVICE) == [text for text in before if text not in ("abcd", "abcde", "abcdef")] + [
        "abcd",
        "abcde",
        "abcdef",
    ]


def test_bigram_keys_are_pairs_of_neighbours() -> None:
    cache = Cache(page_size=2, bigram=True)
    key = Key(tuple(map(ord, "abcdef")))
    slots = cache.system.allocate(4)
    assert slots is not None
    assert cache.system.insert(key, slots, 0, 0).reused == 0
    (node,) = cache.see().nodes
    assert node.segment == ((97, 98), (98, 99), (99, 100), (100, 101)), "the fifth pair is no whole page"
    found = cache.system.match(Key(tuple(map(ord, "abcx"))))
    assert (found.device, found.slots) == (2, slots[:2])
    assert cache.system.match(Key(tuple(map(ord, "ab")))).device == 0
    assert cache.system.insert(Key((1,)), [], 0, 0).reused == 0


# Inserting (semantics 4)


def test_overlap_frees_the_duplicates() -> None:
    cache = Cache(window=3)
    cache.put("abcd")
    before = cache.nodes()
    assert cache.put("abcd") == 4
    assert cache.nodes() == before
    seen = cache.see()
    assert (seen.free[Pool.FULL], seen.free[Pool.SWA]) == (16, 16)


def test_protected_slots_are_neither_freed_nor_taken() -> None:
    cache = Cache(window=3)
    cache.put("abcd")
    before = cache.nodes()
    assert cache.put("abcdef", reuse=True) == 4
    after = cache.nodes()
    assert {text: after[text] for text in before} == before
    assert cache.match("abcdef") == (6, 6)


@pytest.mark.parametrize("evicted", [0, 4])
def test_protected_tombstone_stays_one(evicted: int) -> None:
    cache = Cache(window=2)
    cache.put("abcdef", evicted=4)
    found = cache.system.match(Key(tuple(map(ord, "abcdef"))))
    own = cache.nodes()["abcd"].slots[Pool.FULL] or ()
    fresh = cache.system.allocate(2)
    assert fresh is not None
    assert found.device == 6
    assert cache.system.insert(Key(tuple(map(ord, "abcdef"))), [*own, *fresh], 4, evicted).reused == 6
    assert cache.held(Pool.SWA) == {"abcdef"}
    assert cache.nodes()["abcd"].slots[Pool.FULL] == own
    assert cache.see().free[Pool.FULL] == 14


def test_the_tail_of_an_unaligned_key_stays_with_the_caller() -> None:
    cache = Cache(page_size=2)
    slots = cache.system.allocate(4)
    assert slots is not None
    assert cache.system.insert(Key(tuple(map(ord, "abc"))), slots, 0, 0).reused == 0
    cache.system.free(slots[2:])
    assert cache.see().free[Pool.FULL] == 38
    assert cache.system.insert(Key((1,)), [], 0, 0).reused == 0
    assert list(cache.nodes()) == ["ab"]


def test_insert_rejects_malformed_offers() -> None:
    cache = Cache(page_size=2)
    slots = cache.system.allocate(2)
    assert slots is not None
    for arguments in ((slots[:1], 0, 0), (slots, 1, 0), (slots, 0, 1), (slots, -2, 0)):
        with pytest.raises(ValueError, match=r"to insert|whole pages"):
            cache.system.insert(Key((1, 2)), *arguments)
    with pytest.raises(SlotError):
        cache.system.free([*slots, *slots])


@pytest.mark.parametrize(
    ("evicted", "pieces", "live"),
    [
        (0, ["abcdef", "abcdefghij"], ["abcdef", "abcdefghij"]),
        (2, ["ab", "abcdef", "abcdefghij"], ["abcdef", "abcdefghij"]),
        (6, ["abcdef", "abcdefghij"], ["abcdefghij"]),
        (8, ["abcdefgh", "abcdefghij"], ["abcdefghij"]),
        (10, ["abcdefghij"], []),
        (12, ["abcdefghij"], []),
    ],
)
def test_new_leaf_is_cut_at_the_evicted_length_and_one_window_before_its_end(
    evicted: int, pieces: list[str], live: list[str]
) -> None:
    cache = Cache(window=3, page_size=2)
    assert cache.put("abcdefghij", evicted=evicted) == 0
    assert sorted(cache.nodes()) == pieces
    assert cache.held(Pool.SWA) == set(live)
    assert cache.order(SWA_DEVICE) == live


def test_revived_node_takes_the_offered_slots_and_keeps_its_host_copy() -> None:
    cache = Cache(threshold=1)
    cache.put("abcd")
    cache.settle()
    cache.system.evict(4, 0, 0)
    before = cache.nodes()["abcd"]
    assert before.slots[Pool.FULL] is None
    assert cache.put("abcd") == 4
    after = cache.nodes()["abcd"]
    assert after.slots[Pool.FULL] is not None
    assert after.slots[Pool.FULL_HOST] == before.slots[Pool.FULL_HOST]
    assert cache.see().free[Pool.FULL] == 16
    assert cache.match("abcd") == (4, 4)


@pytest.mark.parametrize(("evicted", "live"), [(0, {"abcd"}), (2, {"abcd"}), (4, set())])
def test_revived_node_gets_swa_from_the_evicted_length_on(evicted: int, live: set[str]) -> None:
    cache = Cache(threshold=1, window=4)
    cache.put("abcd")
    cache.settle()
    cache.system.evict(4, 0, 0)
    cache.put("abcd", evicted=evicted)
    assert cache.held(Pool.SWA) == live
    assert set(cache.nodes()) == ({"ab", "abcd"} if evicted == 2 else {"abcd"})
    assert cache.see().free[Pool.SWA] == 16 + evicted


def test_protected_tokens_that_are_not_on_the_device_are_refused() -> None:
    cache = Cache(threshold=1)
    cache.put("abcd")
    cache.settle()
    cache.system.evict(4, 0, 0)
    slots = cache.system.allocate(4)
    assert slots is not None
    with pytest.raises(ValueError, match="not on the device"):
        cache.system.insert(Key(tuple(map(ord, "abcd"))), slots, 2, 2)


def tombstone(cache: Cache) -> NodeView:
    cache.put("abcd", evicted=4)
    return cache.nodes()["abcd"]


def test_tombstone_recovers_by_taking_the_offered_slots() -> None:
    cache = Cache(window=2)
    own = tombstone(cache).slots[Pool.FULL] or ()
    assert cache.put("abcd") == 4
    node = cache.nodes()["abcd"]
    assert not set(node.slots[Pool.FULL] or ()) & set(own)
    assert node.slots[Pool.SWA] == tuple(cache.system.swa_of(node.slots[Pool.FULL] or ()))
    assert (cache.see().free[Pool.FULL], cache.see().free[Pool.SWA]) == (16, 16)


def test_locked_tombstone_recovers_by_taking_the_peers_only() -> None:
    cache = Cache(window=2)
    cache.put("abcdef", evicted=4)
    own = cache.nodes()["abcd"].slots[Pool.FULL]
    cache.lock("abcdef")
    assert cache.put("abcdef", evicted=2) == 6
    node = cache.nodes()["abcd"]
    assert set(cache.nodes()) == {"ab", "abcd", "abcdef"}
    assert node.slots[Pool.FULL] == (own or ())[2:]
    assert node.slots[Pool.SWA] == tuple(cache.system.swa_of(node.slots[Pool.FULL] or ()))
    assert cache.system.read(Pool.SWA, node.slots[Pool.SWA] or ()) == [2000 + ord("c"), 3000 + ord("d")]
    assert cache.held(Pool.SWA) == {"abcd", "abcdef"}
    seen = cache.see()
    assert (seen.free[Pool.FULL], seen.free[Pool.SWA]) == (14, 16)
    assert (seen.evictable, seen.protected) == ((0, 2, 0), (6, 2, 0))


def test_empty_key_changes_nothing() -> None:
    cache = Cache(window=2)
    assert cache.put("") == 0
    assert cache.match("") == (0, 0)
    assert cache.system.observe(whole=False).nodes == ()


# Locks (semantics 6)


def test_lock_covers_the_full_path_and_a_window_of_swa() -> None:
    cache = Cache(window=3)
    for text in ("ab", "abcd", "abcdef"):
        cache.put(text)
    receipt = cache.lock("abcdef")
    assert cache.locks(Component.FULL) == {"ab": 1, "abcd": 1, "abcdef": 1}
    assert cache.locks(Component.SWA) == {"ab": 0, "abcd": 1, "abcdef": 1}
    seen = cache.see()
    assert (seen.evictable, seen.protected) == ((0, 2, 0), (6, 4, 0))
    cache.system.unlock(receipt)
    assert cache.see().protected == (0, 0, 0)


def test_receipts_follow_splits_of_every_node_they_cover() -> None:
    cache = Cache(window=5)
    for text in ("abcd", "abcdefgh"):
        cache.put(text)
    first = cache.lock("abcdefgh")
    cache.match("ab")
    cache.match("abcdef")
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 1, "abcdef": 1, "abcdefgh": 1}
    second = cache.lock("abcdefgh")
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 2, "abcdef": 2, "abcdefgh": 2}
    cache.match("abc")
    cache.system.unlock(first)
    assert cache.locks(Component.SWA) == {"ab": 0, "abc": 1, "abcd": 1, "abcdef": 1, "abcdefgh": 1}
    assert cache.locks(Component.FULL) == {"ab": 1, "abc": 1, "abcd": 1, "abcdef": 1, "abcdefgh": 1}
    cache.system.unlock(second)
    assert cache.see().protected == (0, 0, 0)


def test_lock_counts_tombstones_so_that_their_recovery_costs_nobody_a_lock() -> None:
    cache = Cache(window=4, threshold=1)
    cache.put("ab")
    cache.put("abcd")
    cache.settle()
    cache.system.evict(0, 2, 0)
    found = cache.system.match(Key(tuple(map(ord, "abcd"))))
    assert (found.device, found.best) == (0, 4)
    anchor = cache.system.cache.match(tuple(map(ord, "abcd"))).best_node
    first = cache.system.lock(anchor)
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 1}
    cache.put("abcd")
    assert cache.see().protected == (4, 4, 0), "SWA that came back under a lock is protected"
    second = cache.lock("abcd")
    cache.system.unlock(first)
    assert cache.locks(Component.SWA) == {"ab": 1, "abcd": 1}
    assert cache.system.evict(9, 9, 0) == (0, 0, 0)
    cache.system.unlock(second)
    assert cache.see().protected == (0, 0, 0)


def test_receipt_is_good_once_and_only_for_its_tree() -> None:
    cache = Cache()
    cache.put("ab")
    receipt = cache.lock("ab")
    cache.system.unlock(receipt)
    with pytest.raises(ReceiptError, match="before"):
        cache.system.unlock(receipt)
    assert cache.locks(Component.FULL) == {"ab": 0}
    anchor = cache.system.match(Key(tuple(map(ord, "ab")))).anchor
    stale = cache.system.lock(anchor)
    cache.system.reset()
    with pytest.raises(ReceiptError, match="not in the tree"):
        cache.system.unlock(stale)
    with pytest.raises(ReceiptError, match="not in the tree"):
        cache.system.lock(anchor)


def test_unlock_that_finds_no_lock_changes_nothing() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("abcd")
    receipt = cache.lock("abcd")
    receipt.anchor.parent.full.locks = 0
    before = cache.nodes()
    with pytest.raises(ReceiptError, match="not locked"):
        cache.system.unlock(receipt)
    assert cache.nodes() == before


def test_root_can_be_locked() -> None:
    cache = Cache(window=2)
    receipt = cache.lock("nothing")
    cache.put("ab")
    assert cache.system.evict(2, 0, 0) == (2, 2, 0)
    cache.system.unlock(receipt)


# Eviction (semantics 7)


def test_leaves_go_oldest_first_and_parents_follow() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("abc")
    cache.put("xy")
    cache.match("ab")
    assert cache.system.evict(2, 0, 0) == (3, 0, 0)
    assert set(cache.nodes()) == {"ab"}
    assert cache.system.evict(9, 0, 0) == (2, 0, 0)
    assert cache.see().free[Pool.FULL] == 20


def test_locked_and_in_flight_nodes_stay() -> None:
    cache = Cache(threshold=1)
    cache.put("ab")
    assert cache.nodes()["ab"].pending
    assert cache.system.evict(2, 0, 0) == (0, 0, 0)
    assert cache.system.run_copies(5) == 1
    assert cache.system.evict(2, 0, 0) == (0, 0, 0), "only the acknowledgement unlocks"
    assert cache.system.writing_check(blocking=False) == 1
    receipt = cache.lock("ab")
    assert cache.system.evict(2, 0, 0) == (0, 0, 0)
    cache.system.unlock(receipt)
    assert cache.system.evict(2, 0, 0) == (2, 0, 0)


def test_backed_leaf_is_demoted_and_another_deleted() -> None:
    cache = Cache(threshold=2, window=2)
    cache.put("ab")
    cache.put("ab")
    cache.put("xy")
    cache.settle()
    assert cache.system.evict(4, 0, 0) == (4, 4, 0)
    assert cache.held(Pool.FULL_HOST) == cache.held(Pool.SWA_HOST) == {"ab"}
    assert cache.held(Pool.FULL) == cache.held(Pool.SWA) == set()
    assert cache.match("ab") == (0, 2)
    assert cache.whole().host_leaves == {cache.nodes()["ab"].id}


def test_swa_of_interior_nodes_becomes_a_tombstone_and_leaves_go_whole() -> None:
    cache = Cache(window=1)
    cache.put("ab")
    cache.put("abc")
    assert cache.held(Pool.SWA) == {"a", "ab", "abc"}
    assert cache.system.evict(0, 1, 0) == (0, 1, 0)
    assert cache.held(Pool.SWA) == {"ab", "abc"}
    cache.match("ab")
    assert cache.system.evict(0, 1, 0) == (1, 1, 0), "the oldest SWA is on a leaf now"
    assert set(cache.nodes()) == {"a", "ab"}


def test_tombstone_keeps_its_host_copy_and_locked_swa_stays() -> None:
    cache = Cache(window=1, threshold=1)
    for text in ("a", "ab", "abc"):
        cache.put(text)
    cache.settle()
    cache.lock("abc")
    assert cache.system.evict(0, 9, 0) == (0, 2, 0)
    assert cache.held(Pool.SWA) == {"abc"}
    assert cache.held(Pool.SWA_HOST) == {"a", "ab", "abc"}
    assert cache.order(SWA_HOST) == ["a", "ab"]


def test_what_the_full_drive_freed_counts_for_swa() -> None:
    cache = Cache(window=2)
    cache.put("ab")
    cache.put("xy")
    assert cache.system.evict(2, 2, 0) == (2, 2, 0)
    assert set(cache.nodes()) == {"xy"}


def test_host_leaves_go_oldest_first_and_device_copies_stay() -> None:
    cache = Cache(threshold=1)
    for text in ("ab", "abc", "xy", "z"):
        cache.put(text)
    cache.settle()
    cache.system.evict(9, 0, 0)
    cache.put("z")
    assert cache.system.evict_host(2, Component.FULL) == 3
    assert set(cache.nodes()) == {"xy", "z"}
    assert cache.system.evict_host(9, Component.FULL) == 2
    assert cache.held(Pool.FULL_HOST) == {"z"}


def test_host_swa_is_dropped_alone_unless_its_node_is_a_host_leaf() -> None:
    cache = Cache(window=1, threshold=1)
    for text in ("a", "ab"):
        cache.put(text)
    cache.settle()
    cache.system.evict(0, 1, 0)
    assert cache.system.evict_host(1, Component.SWA) == 1
    assert cache.held(Pool.FULL_HOST) == {"a", "ab"}
    assert cache.held(Pool.SWA_HOST) == {"ab"}
    cache.system.evict(1, 0, 0)
    assert cache.system.evict_host(9, Component.SWA) == 1
    assert set(cache.nodes()) == {"a"}


# Backup (semantics 8)


def test_every_walked_node_and_every_piece_of_a_new_leaf_is_hit_once() -> None:
    cache = Cache(threshold=2, window=2)
    cache.put("abcdefgh", evicted=4)
    assert cache.held(Pool.FULL_HOST) == set()
    cache.put("abcdef", evicted=6)
    assert cache.held(Pool.FULL_HOST) == {"abcd", "abcdef"}
    assert cache.held(Pool.SWA_HOST) == {"abcdef"}


def test_hits_survive_splits() -> None:
    cache = Cache(threshold=2)
    cache.put("abcd")
    cache.match("ab")
    cache.put("ab")
    assert cache.held(Pool.FULL_HOST) == {"ab"}
    cache = Cache(threshold=3, window=4)
    cache.put("abcd", evicted=4)
    cache.put("abcd", evicted=2)
    cache.put("ab", evicted=2)
    assert cache.held(Pool.FULL_HOST) == {"ab"}, "both pieces of a node that an insert splits are hit by it"


def test_locked_host_nodes_are_no_room() -> None:
    cache = Cache(threshold=1, host_pages=4)
    for text in ("a", "ab", "ac"):
        cache.put(text)
    cache.settle()
    cache.system.evict(9, 0, 0)
    cache.system.lock(cache.system.cache.match(tuple(map(ord, "ac"))).best_node)
    cache.put("xyz")
    assert cache.held(Pool.FULL_HOST) == {"a", "ab", "ac"}
    cache.put("vw")
    assert cache.held(Pool.FULL_HOST) == {"a", "ac", "vw"}


def test_ancestors_are_backed_up_first_each_with_its_own_acknowledgement() -> None:
    cache = Cache(threshold=1, host_pages=1, device_pages=20)
    cache.put("abc")
    cache.put("abcd")
    cache.put("x")
    assert cache.held(Pool.FULL_HOST) == {"x"}, "nothing is backed up below a node that has no host copy"
    cache = Cache(threshold=1)
    cache.put("ab")
    cache.put("abcd")
    assert [node.pending for node in cache.nodes().values()] == [True, True]
    assert cache.system.run_copies(1) == 1
    assert cache.system.writing_check(blocking=False) == 1
    assert {text: node.pending for text, node in cache.nodes().items()} == {"ab": False, "abcd": True}
    assert cache.locks(Component.FULL) == {"ab": 1, "abcd": 1}
    assert cache.system.writing_check(blocking=True) == 1
    assert cache.system.writing_check(blocking=True) == 0


def test_backup_covers_both_halves_of_a_node_split_on_its_way() -> None:
    cache = Cache(threshold=1, window=4)
    cache.put("abcd")
    cache.match("ab")
    assert [node.pending for node in cache.nodes().values()] == [True, True]
    cache.settle()
    for text, node in cache.nodes().items():
        assert (node.pending, node.locks) == (False, (0, 0, 0))
        start = len(text) - len(node.segment)
        for pool in (Pool.FULL_HOST, Pool.SWA_HOST):
            tags = cache.system.read(pool, node.slots[pool] or ())
            assert tags == [1000 * at + ord(text[at]) for at in range(start, len(text))]


def test_backup_makes_room_on_the_host_from_what_is_there_only() -> None:
    cache = Cache(threshold=1, host_pages=4)
    for text in ("ab", "cd"):
        cache.put(text)
    cache.settle()
    cache.system.evict(2, 0, 0)
    cache.put("efg")
    assert cache.held(Pool.FULL_HOST) == {"ab", "cd"}, "evicting everything would not have been enough"
    cache.put("gh")
    assert cache.held(Pool.FULL_HOST) == {"cd", "gh"}


def test_backup_is_all_or_nothing_over_both_components() -> None:
    cache = Cache(threshold=1, window=2, swa_host_pages=3)
    cache.put("ab")
    cache.put("cd")
    assert cache.held(Pool.FULL_HOST) == {"ab"}
    assert cache.see().free[Pool.FULL_HOST] == 18
    cache.settle()
    cache.system.evict(2, 0, 0)
    cache.put("cd")
    assert cache.held(Pool.SWA_HOST) == {"cd"}


def test_failed_backup_is_tried_again_with_the_next_hit() -> None:
    cache = Cache(threshold=1, host_pages=2)
    cache.put("ab")
    cache.put("cd")
    assert cache.held(Pool.FULL_HOST) == {"ab"}
    cache.settle()
    cache.match("cd")
    cache.system.evict(2, 0, 0)
    cache.put("cd")
    assert cache.held(Pool.FULL_HOST) == {"cd"}


# Reset and observation (semantics 12)


def test_reset_leaves_nothing() -> None:
    cache = Cache(threshold=1, window=2)
    cache.put("abcd")
    cache.put("xy", evicted=2)
    cache.settle()
    cache.system.evict(2, 0, 0)
    cache.put("abc")
    ids = {node.id for node in cache.see().nodes}
    cache.system.reset()
    assert set(cache.system.observe(whole=False).removed) == ids
    seen = cache.see()
    assert seen.nodes == ()
    assert seen.free == (20, 20, 0, 20, 20, 0)
    assert seen.evictable == seen.protected == (0, 0, 0)
    assert cache.system.run_copies(9) == cache.system.writing_check(blocking=True) == 0
    cache.put("abcd")
    assert ids.isdisjoint(node.id for node in cache.see().nodes)
    assert cache.match("abcd") == (4, 4)


def test_delta_shows_what_changed_and_nothing_else() -> None:
    cache = Cache()
    cache.put("ab")
    cache.put("xyz")
    cache.see()
    cache.match("x")
    assert {node.segment for node in cache.system.observe(whole=False).nodes} == {(ord("x"),), (ord("y"), ord("z"))}
    assert cache.system.observe(whole=False).nodes == ()
    receipt = cache.lock("ab")
    assert [node.locks for node in cache.system.observe(whole=False).nodes] == [(1, 0, 0)]
    cache.system.unlock(receipt)
    gone = cache.nodes()["xyz"].id
    cache.system.evict(2, 0, 0)
    delta = cache.system.observe(whole=False)
    assert (delta.nodes, delta.removed, delta.whole) == ((), (gone,), None)


def test_node_that_came_and_went_between_two_observations_is_not_reported() -> None:
    cache = Cache()
    cache.put("ab")
    cache.system.evict(2, 0, 0)
    delta = cache.system.observe(whole=False)
    assert (delta.nodes, delta.removed) == ((), ())
