"""The pure rules, on paths drawn as text.

A path is written page by page: ``F`` FULL on device, ``S`` SWA on device, ``f`` and ``s`` the same on the host, ``-`` nothing, and
a ``|`` after the last page of a node: ``"FS F| FfSs|"`` is a node of two pages and one of one page.
"""

from __future__ import annotations

import pytest

from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.rules import boundaries, host_need, is_device_leaf, is_host_leaf, window_cut, window_lock, window_nodes
from radixproof.model.trie import Page

LETTERS = dict(zip("FSfs", Pool, strict=True))


def draw(drawing: str, size: int = 1) -> tuple[Page, list[Page]]:
    """The root, and the pages of a path of pages of ``size`` tokens."""
    root = page = Page((), None, 0, cut=True)
    path = []
    for at, word in enumerate(drawing.split()):
        tokens = (at,) * size
        page.children[tokens] = Page(tokens, page, page.end + size, cut=word.endswith("|"))
        page = page.children[tokens]
        for letter in word.strip("|-"):
            page.held_in[LETTERS[letter]] = True
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
    found = boundaries(path, root, None)
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
    found = boundaries(path, root, 3)
    assert ends(list(found)) == [device, best]


@pytest.mark.parametrize(
    ("drawing", "window", "device"),
    [("F| FS|", 2, 4), ("F| FS|", 3, 0), ("F| FS| FS|", 3, 6), ("F| FS| FS|", 4, 6), ("F| FS| FS|", 5, 0)],
)
def test_a_window_is_counted_in_tokens(drawing: str, window: int, device: int) -> None:
    root, path = draw(drawing, size=2)
    assert boundaries(path, root, window)[0].end == device


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
def test_window_nodes_are_whole_nodes_tombstones_included(drawing: str, reach: int, covered: list[int]) -> None:
    _, path = draw(drawing)
    assert ends(window_nodes(path, reach)) == covered


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
def test_window_locks_in_both_dialects(drawing: str, segments: list[int], skipping: list[int]) -> None:
    """With segment locks every node counts; before, tombstones were passed over and covered nothing."""
    _, path = draw(drawing)
    assert ends(window_lock(path, 2, Dialect(segment_locks=True))) == segments
    assert ends(window_lock(path, 2, Dialect(segment_locks=False))) == skipping


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
    ],
)
def test_leaves(drawing: str, device_leaves: list[int], host_leaves: list[int]) -> None:
    _, path = draw(drawing)
    assert [page.end for page in path if is_device_leaf(page)] == device_leaves
    assert [page.end for page in path if is_host_leaf(page)] == host_leaves


@pytest.mark.parametrize("component", Component)
def test_a_lock_on_either_component_keeps_a_node_from_being_a_leaf(component: Component) -> None:
    for drawing, is_leaf in (("FS|", is_device_leaf), ("fs|", is_host_leaf)):
        _, (page,) = draw(drawing)
        assert is_leaf(page)
        page.holders[component].add("r1")
        assert not is_leaf(page)


def test_a_leaf_is_cut_to_one_window_of_pages() -> None:
    config = Config(page_size=2, window=3, swa_pages=8, swa_host_pages=16)
    assert [window_cut(0, end, config) for end in (2, 4, 6, 8)] == [0, 0, 2, 4]
    assert window_cut(4, 6, config) == 4


def test_a_backup_needs_room_for_what_is_on_device() -> None:
    config = Config(page_size=2, window=2, swa_pages=8, swa_host_pages=8)
    _, path = draw("FS F FS|", size=2)
    assert host_need(path, Component.FULL, config) == 6
    assert host_need(path, Component.SWA, config) == 4
