"""The pure rules, on paths drawn as text.

A path is written page by page: ``F`` FULL on device, ``S`` SWA, ``M`` MAMBA on device, ``f``, ``s``
and ``m`` the same on the host, ``-`` nothing, and a ``|`` after the last page of a node: ``"FS F|
FfSs|"`` is a node of two pages and one of one page.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from radixproof.model.config import DEVICE, HOST, POOLS, Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.specification.backing_up import host_need
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.inserting import window_cut
from radixproof.model.specification.loading import host_hits, pinned, refuses_load, to_load
from radixproof.model.specification.locking import device_lock, host_lock
from radixproof.model.specification.matching import match_ends
from radixproof.model.specification.nodes import (
    is_device_leaf,
    is_host_leaf,
    nodes_of,
    window_nodes,
)
from radixproof.model.specification.ordering import rank
from radixproof.model.specification.trie import Holder, HolderKind, Page

LETTERS = dict(zip("FSMfsm", POOLS, strict=True))
PLAIN = Config()
WINDOWED = Config(window=3, swa_pages=8, swa_host_pages=8)
STATED = Config(mamba_states=4, mamba_host_states=4)
WHOLE = replace(WINDOWED, mamba_states=4, mamba_host_states=4)


def draw(drawing: str, size: int = 1) -> tuple[Page, list[Page]]:
    """The root, and the pages of a path of pages of ``size`` tokens."""
    root = page = Page((), None, 0, cut=True)
    path = []
    for at, word in enumerate(drawing.split()):
        tokens = (at,) * size
        page.children[tokens] = Page(tokens, page, page.end + size, cut=word.endswith("|"))
        page = page.children[tokens]
        for letter in word.strip("|-"):
            page.resident_in[LETTERS[letter]] = True
        path.append(page)
    return root, path


def ends(pages: list[Page]) -> list[int]:
    return [page.end for page in pages]


@pytest.mark.parametrize(
    ("drawing", "device", "best"),
    [
        ("", 0, 0),
        ("F| F|", 2, 2),
        ("F F F|", 3, 3),
        ("F F F", 0, 0),
        ("F| F", 1, 1),
        ("Ff| f|", 1, 2),
        ("f| f|", 0, 2),
        ("Ff| -|", 1, 1),
    ],
)
def test_boundaries_without_a_window(drawing: str, device: int, best: int) -> None:
    root, path = draw(drawing)
    found = match_ends(path, root, PLAIN)
    assert ends(list(found)) == [device, best]


@pytest.mark.parametrize(
    ("drawing", "device", "best"),
    [
        # Before the first tombstone any length will do.
        ("FS|", 1, 1),
        ("FS| FS|", 2, 2),
        # A tombstone is no boundary; after it a whole window of 3 must accumulate.
        ("F|", 0, 0),
        ("FS| F|", 1, 1),
        ("F| FS|", 0, 0),
        ("F| FS FS|", 0, 0),
        ("F| FS FS FS|", 4, 4),
        ("F| FS| FS| FS|", 4, 4),
        ("FS| F| FS| FS|", 1, 1),
        ("FS| F| FS| FS| FS|", 5, 5),
        # Every tombstone starts it again.
        ("F| FS| FS| F| FS| FS|", 0, 0),
        ("F| FS| FS| FS| F| FS| FS|", 4, 4),
        # Host copies count for the best prefix only.
        ("FfSs| FfSs| fs|", 2, 3),
        ("FfSs| Ffs| FfSs|", 1, 3),
        ("Ff| Ffs| FfSs| FfSs|", 0, 4),
        ("Ff| Ffs| FfSs| FfSs| FfSs|", 5, 5),
        ("Ff| f| fs| fs|", 0, 0),
        ("Ff| f| fs| fs| fs|", 0, 5),
        # FULL must be somewhere.
        ("FS| S|", 1, 1),
    ],
)
def test_boundaries_with_a_window_of_three(drawing: str, device: int, best: int) -> None:
    root, path = draw(drawing)
    found = match_ends(path, root, WINDOWED)
    assert ends(list(found)) == [device, best]


@pytest.mark.parametrize(
    ("drawing", "window", "device"),
    [
        ("F| FS|", 2, 4),
        ("F| FS|", 3, 0),
        ("F| FS| FS|", 3, 6),
        ("F| FS| FS|", 4, 6),
        ("F| FS| FS|", 5, 0),
    ],
)
def test_a_window_is_counted_in_tokens(drawing: str, window: int, device: int) -> None:
    root, path = draw(drawing, size=2)
    assert match_ends(path, root, replace(WINDOWED, page_size=2, window=window))[0].end == device


@pytest.mark.parametrize(
    ("drawing", "reach", "covered"),
    [
        ("FS| FS| FS|", 1, [3]),
        ("FS| FS| FS|", 2, [2, 3]),
        ("FS| FS| FS|", 3, [1, 2, 3]),
        ("FS| FS| FS|", 9, [1, 2, 3]),
        ("FS| FS FS|", 1, [2, 3]),
        ("FS| FS FS|", 2, [2, 3]),
        ("FS| FS FS|", 3, [1, 2, 3]),
        ("FS| F| FS|", 2, [2, 3]),
        ("FS|", 0, []),
        ("", 3, []),
    ],
)
def test_window_nodes_are_whole_nodes_tombstones_included(
    drawing: str, reach: int, covered: list[int]
) -> None:
    _, path = draw(drawing)
    assert ends(window_nodes(path, reach)) == covered


@pytest.mark.parametrize(
    ("drawing", "device", "best"),
    [
        ("F|", 0, 0),
        ("FM|", 1, 1),
        ("F FM|", 2, 2),
        ("FM| F|", 1, 1),
        ("FM| Fm|", 1, 2),
        ("Fm| FM|", 2, 2),
        ("FfMm| fm| f|", 1, 2),
        ("FfMm| fM|", 1, 2),
        ("f| fm|", 0, 2),
        # FULL must be somewhere.
        ("M|", 0, 0),
    ],
)
def test_boundaries_with_states(drawing: str, device: int, best: int) -> None:
    """The node itself must have one: on the device, or, for the best prefix, on either tier
    (semantics 3.2)."""
    root, path = draw(drawing)
    found = match_ends(path, root, STATED)
    assert ends(list(found)) == [device, best]


@pytest.mark.parametrize(
    ("drawing", "device", "best"),
    [
        ("FSM| FS| FSM|", 3, 3),
        # The state is there before the window is whole, and where that is whole is no state.
        ("F| FSM| FS| FS|", 0, 0),
        ("F| FS| FS| FSM|", 4, 4),
        ("F| FS| FS| FSm|", 0, 4),
        ("F| Fs| FS| FSM|", 0, 4),
    ],
)
def test_window_and_state_must_agree(drawing: str, device: int, best: int) -> None:
    root, path = draw(drawing)
    found = match_ends(path, root, WHOLE)
    assert ends(list(found)) == [device, best]


# -- locks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawing", "segments", "skipping"),
    [
        ("FS| FS| FS|", [2, 3], [2, 3]),
        ("FS| F| FS|", [2, 3], [1, 3]),
        ("FS| FS| F|", [2, 3], [1, 2]),
        ("FS FS| F| F F|", [4, 5], [1, 2]),
        ("F| F|", [1, 2], []),
    ],
)
def test_window_locks_in_both_dialects(
    drawing: str, segments: list[int], skipping: list[int]
) -> None:
    """With segment locks every node counts; before, tombstones were passed over and covered
    nothing."""
    _, path = draw(drawing)
    config = replace(WINDOWED, window=2)
    for dialect, covered in (
        (Dialect(segment_locks=True), segments),
        (Dialect(segment_locks=False), skipping),
    ):
        locked = device_lock(path[-1], config, dialect)
        assert ends(locked[Pool.SWA]) == covered
        assert locked[Pool.FULL] == path


@pytest.mark.parametrize(
    ("drawing", "segments", "skipping"),
    [("F| FM|", [2], [2]), ("FM| F|", [2], []), ("FM F|", [2], [])],
)
def test_state_locks_in_both_dialects(
    drawing: str, segments: list[int], skipping: list[int]
) -> None:
    _, path = draw(drawing)
    for dialect, covered in (
        (Dialect(segment_locks=True), segments),
        (Dialect(segment_locks=False), skipping),
    ):
        assert ends(device_lock(path[-1], STATED, dialect).get(Pool.MAMBA, [])) == covered


@pytest.mark.parametrize(
    ("drawing", "full", "swa", "mamba"),
    [
        ("f| f f|", [2, 3], [1, 2, 3], [3]),
        ("f| f| f| f|", [4], [2, 3, 4], [4]),
        ("F| FSM|", [2], [1, 2], [2]),
    ],
)
def test_a_host_lock_is_one_node_one_window_and_one_state(
    drawing: str, full: list[int], swa: list[int], mamba: list[int]
) -> None:
    """Whether there are host copies or not (semantics 6.6)."""
    _, path = draw(drawing)
    locked = host_lock(path[-1], WHOLE, Dialect())
    assert [ends(locked[pool]) for pool in HOST] == [full, swa, mamba]
    assert set(host_lock(path[-1], PLAIN, Dialect())) == {Pool.FULL_HOST}


def test_a_host_lock_may_pass_over_what_has_no_copy() -> None:
    """As on the device (semantics 6.6)."""
    _, path = draw("Ffs| Ffs F|")
    old = Dialect(segment_locks=False)
    assert ends(host_lock(path[-1], WHOLE, Dialect())[Pool.SWA_HOST]) == [1, 2, 3]
    assert ends(host_lock(path[-1], replace(WHOLE, window=2), Dialect())[Pool.SWA_HOST]) == [2, 3]
    assert ends(host_lock(path[-1], replace(WHOLE, window=2), old)[Pool.SWA_HOST]) == [1, 2]


def test_locks_of_the_root_cover_nothing() -> None:
    root, _ = draw("")
    assert host_lock(root, WHOLE, Dialect()) == {}
    assert not any(device_lock(root, WHOLE, Dialect()).values())


# -- loading back ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawing", "full", "swa", "mamba"),
    [
        ("fsm|", [1], [1], [1]),
        ("FSMfsm| fsm| fsm|", [2, 3], [2, 3], [3]),
        # One window of three, in whole nodes: what is above it is of no use.
        ("fs| fs fs| fs fs|", [1, 2, 3, 4, 5], [2, 3, 4, 5], []),
        # What is there already is not loaded, but counts for the window.
        ("Fs| FS| FfSs|", [], [1], []),
        ("Fs| FS| FS| FS|", [], [], []),
        # Only the state of the end.
        ("Fm| Fm|", [], [], [2]),
        ("Fm| FM|", [], [], []),
        ("F| f|", [2], [], []),
        ("", [], [], []),
    ],
)
def test_what_a_load_back_brings(
    drawing: str, full: list[int], swa: list[int], mamba: list[int]
) -> None:
    _, path = draw(drawing)
    lists = to_load(path, WHOLE)
    assert [ends(lists[pool]) for pool in DEVICE] == [full, swa, mamba]
    assert host_hits(path, WHOLE) == (len(full), len(swa), len(mamba))


def test_what_a_load_back_brings_is_counted_in_tokens_and_states() -> None:
    _, path = draw("f fsm| fsm|", size=2)
    assert host_hits(path, replace(WHOLE, page_size=2)) == (6, 4, 1)


def test_only_what_is_on_the_device_and_unlocked_is_newly_pinned() -> None:
    _, path = draw("F| Ff| F| f|", size=2)
    assert pinned(path) == 6
    path[0].holders[Pool.FULL] = (Holder(HolderKind.RECEIPT, "r1"),)
    assert pinned(path) == 4


@pytest.mark.parametrize(
    ("full", "others", "pins", "quota", "refused"),
    [
        (0, False, 0, None, True),
        (0, True, 0, None, False),
        (3, False, 0, None, True),
        (3, True, 0, None, False),
        (4, False, 0, None, False),
        (4, False, 0, 4, False),
        (4, False, 0, 3, True),
        (4, False, 1, 4, True),
        (4, False, 1, 5, False),
        (0, True, 1, 0, True),
    ],
)
def test_load_backs_are_refused_by_threshold_and_quota(
    full: int, others: bool, pins: int, quota: int | None, refused: bool
) -> None:
    """The threshold is 4; what is pinned counts against the quota (semantics 9.3)."""
    config = replace(PLAIN, load_threshold=4)
    assert refuses_load(full, others, pins, quota, config) is refused


# -- leaves and their order ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drawing", "device_leaves", "host_leaves"),
    [
        ("F|", [1], []),
        ("FS| FS|", [2], []),
        ("F F|", [2], []),
        ("Ff| f|", [1], [2]),
        ("Ff| f| f|", [1], [3]),
        ("f|", [], [1]),
        ("Ff|", [1], []),
        ("F", [], []),
        ("f", [], []),
        ("FM| F|", [2], []),
        ("fsm|", [], [1]),
    ],
)
def test_leaves(drawing: str, device_leaves: list[int], host_leaves: list[int]) -> None:
    _, path = draw(drawing)
    assert [page.end for page in path if is_device_leaf(page)] == device_leaves
    assert [page.end for page in path if is_host_leaf(page)] == host_leaves


@pytest.mark.parametrize("pool", POOLS)
def test_locks_keep_a_node_from_being_a_leaf(pool: Pool) -> None:
    """A device leaf has no device lock of any component, a host leaf no lock at all (semantics
    1.6)."""
    for drawing, is_leaf, kept in (
        ("FSM|", is_device_leaf, pool in DEVICE),
        ("fsm|", is_host_leaf, True),
    ):
        _, (page,) = draw(drawing)
        assert is_leaf(page)
        page.holders[pool] = (Holder(HolderKind.RECEIPT, "r1"),)
        assert is_leaf(page) is not kept


@pytest.mark.parametrize(
    ("order", "ranks"),
    [
        (EvictionPolicy.LRU, [0, 0, 0]),
        (EvictionPolicy.MRU, [0, 0, 0]),
        (EvictionPolicy.LFU, [1, 2, 3]),
        (EvictionPolicy.FIFO, [7, 6, 5]),
        (EvictionPolicy.FILO, [-7, -6, -5]),
        (EvictionPolicy.PRIORITY, [0, 4, 2]),
        (EvictionPolicy.SLRU, [0, 1, 1]),
    ],
)
def test_what_comes_before_recency(order: EvictionPolicy, ranks: list[int]) -> None:
    """Nodes of one, two and three hits (semantics 7.2)."""
    nodes = []
    for hits, created, priority in ((1, 7, 0), (2, 6, 4), (3, 5, 2)):
        nodes.append(Page((1,), None, 1, hits=hits, created=created, priority=priority))
    assert [rank(node, order) for node in nodes] == ranks


# -- sizes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "window", "page_size", "cut"),
    [
        (0, 2, 3, 2, 0),
        (0, 4, 3, 2, 0),
        (0, 6, 3, 2, 2),
        (0, 8, 3, 2, 4),
        (4, 6, 3, 2, 4),
        (0, 5, 2, 1, 3),
        (4, 5, 2, 1, 4),
    ],
)
def test_a_leaf_is_cut_to_one_window_of_pages(
    start: int, end: int, window: int, page_size: int, cut: int
) -> None:
    assert window_cut(start, end, window, page_size) == cut


@pytest.mark.parametrize(
    ("drawing", "need"),
    [
        ("FS F FSM|", (6, 4, 1)),
        ("FfS Ff FfSM|", (0, 4, 1)),
        ("FfSsMm|", (0, 0, 0)),
        ("Ff FfMm|", (0, 0, 0)),
        ("f fs|", (0, 0, 0)),
    ],
)
def test_a_backup_needs_room_for_what_is_on_device_and_not_on_the_host(
    drawing: str, need: tuple[int, int, int]
) -> None:
    _, path = draw(drawing, size=2)
    cache = Cache(replace(WHOLE, page_size=2), Dialect())
    assert host_need(cache, [path]) == need


@pytest.mark.parametrize(
    ("drawing", "nodes"),
    [("", []), ("F F|", [[1, 2]]), ("F| F F| F|", [[1], [2, 3], [4]]), ("F| F F", [[1], [2, 3]])],
)
def test_a_path_falls_into_nodes(drawing: str, nodes: list[list[int]]) -> None:
    _, path = draw(drawing)
    assert [ends(node) for node in nodes_of(path)] == nodes
