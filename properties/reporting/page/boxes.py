"""What is drawn of a tree: a box for each node, and what of it is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from radixproof.impl.observation import NodeView
from radixproof.model.config import DEVICE, HOST, Component, Config
from radixproof.model.key import Key
from radixproof.properties.judging.spelling import by_prefix, prefix_of
from radixproof.properties.reporting.narrate import Tree
from radixproof.properties.reporting.page.layout import ACROSS, Place, Size, place
from radixproof.properties.reporting.tree_text import Held, Holders, in_order, lock_text, unit_text

LONGEST, NAMESPACE = 30, 8
"""Characters of a node's tokens, and of its namespace, that are drawn; all of them are told when it
is pointed at.
"""
LETTER, SMALL = 7.3, 6.1
"""Pixels that a character of tokens takes, and one of what is said about them."""
HEAD, ROW, MARGIN, NAMES = 22, 19, 7, 48
"""Pixels: the heights of tokens and of a component, the margin of a box, the width of names."""

STEP = 24
"""Pixels by which widths differ: a lock more shall not move the whole tree."""


class Chip(NamedTuple):
    """Where a component of a node is, or what is lacking."""

    kind: str
    """``device``, ``host``, ``tombstone`` or ``flight``."""
    text: str
    x: int
    width: int
    wrong: bool = False
    """Not so in the other tree."""


class Row(NamedTuple):
    """A component of a node, and where it is; or what is in flight."""

    name: str
    y: int
    chips: tuple[Chip, ...]


class Box(NamedTuple):
    """A node as it is drawn. Alike nodes have equal boxes."""

    label: str
    whole: str
    """All of its tokens."""
    rows: tuple[Row, ...]
    mark: str
    """``new``, ``changed``, ``wrong``, ``wanted`` (where another tree is wrong) or nothing."""
    size: Size


class Drawn(NamedTuple):
    """A tree as it is drawn."""

    boxes: tuple[tuple[Box, Place], ...]
    edges: str
    """The path of an SVG."""
    width: int
    height: int


def changes(config: Config, before: Tree, after: Tree) -> dict[Key, str]:
    """Which nodes came, and which are not as they were."""
    old, new = by_prefix(before), by_prefix(after)
    return {
        end: "new" if end not in old else "changed" if _shown(old[end]) != _shown(view) else ""
        for end, view in new.items()
    }


def _shown(view: NodeView) -> tuple[object, ...]:
    """What a box shows of a node, of whatever components there are."""
    held = [slots is not None for slots in view.slots]
    return view.segment, held, view.locks, view.pending, view.host_locks, view.loading


def differences(config: Config, tree: Tree, other: Tree) -> dict[Key, set[str]]:
    """By node, what of it is not so in the other tree: kinds of chips by component; all of it if
    the other has no such node.
    """
    here, there = by_prefix(tree), by_prefix(other)
    found: dict[Key, set[str]] = {}
    for end, view in here.items():
        if end not in there or view.segment != there[end].segment:
            found[end] = {"node"}
            continue
        differ = {
            f"{component.name} {kind}"
            for component in config.components
            for kind in ("device", "host")
            if _differs(view, there[end], component, kind)
        }
        if differ:
            found[end] = differ
    return found


def _differs(view: NodeView, other: NodeView, component: Component, kind: str) -> bool:
    """Whether one holds it on a tier and the other does not, or locks it more often."""
    pool = (DEVICE if kind == "device" else HOST)[component]
    if (view.slots[pool] is None) != (other.slots[pool] is None):
        return True
    one, two = (each.locks if kind == "device" else each.host_locks for each in (view, other))
    return one is not None and two is not None and one[component] != two[component]


def draw(
    config: Config,
    tree: Tree,
    marks: Mapping[Key, str],
    wrong: Mapping[Key, set[str]],
    holders: Holders | None = None,
    as_wanted: bool = False,
) -> Drawn:
    """The boxes of a tree, each in its place. Siblings are in the order of their keys, which no
    system numbers as it likes. Locks are named by their ``holders``, if these are known. What is
    ``wrong`` in another tree is here ``as_wanted``.
    """
    differs = "wanted" if as_wanted else "wrong"
    views = [view for _, view in in_order(tree)]
    by_id = {view.id: view for view in tree}
    ends = [prefix_of(by_id, view.id) for view in views]
    boxes = [
        box(
            config,
            view,
            differs if end in wrong else marks.get(end, ""),
            wrong.get(end, set()),
            None if holders is None else holders.get(view.id, {}),
        )
        for view, end in zip(views, ends, strict=True)
    ]
    at = {view.id: number for number, view in enumerate(views)}
    parents = [at.get(view.parent) for view in views]
    places = place(parents, [one.size for one in boxes])
    placed = tuple(zip(boxes, places, strict=True))
    edges = " ".join(
        _edge(placed[parent], placed[number])
        for number, parent in enumerate(parents)
        if parent is not None
    )
    width = max((spot.x + one.size.width for one, spot in placed), default=0)
    height = max((spot.y + one.size.height for one, spot in placed), default=0)
    return Drawn(placed, edges, width, height)


def _edge(above: tuple[Box, Place], below: tuple[Box, Place]) -> str:
    (box, (x, y)), (other, (end, low)) = above, below
    start, high = x + box.size.width, y + box.size.height // 2
    to = low + other.size.height // 2
    middle = end - ACROSS // 2  # to the right of all boxes of the column
    return f"M{start} {high}H{middle}V{to}H{end}"


# -- one box ---------------------------------------------------------------------------------------


def box(
    config: Config, view: NodeView, mark: str, wrong: set[str], held: Held | None = None
) -> Box:
    """The box of a node; of it is ``wrong`` what `differences` says, and this is who locks it."""
    tokens = _tokens(config, view)
    space = view.namespace
    whole = f"{space}: {tokens}" if space else tokens
    label = _short(tokens, LONGEST)
    label = f"{_short(space, NAMESPACE)}: {label}" if space else label
    rows: list[Row] = []
    for component in config.components:
        y = HEAD + len(rows) * ROW
        rows.append(Row(component.name, y, _chips(view, component, wrong, held)))
    flights = [
        text for text, there in (("backup", view.pending), ("load-back", view.loading)) if there
    ]
    if flights:
        chips = _in_a_row([("flight", f"{text} in flight", False) for text in flights])
        rows.append(Row("", HEAD + len(rows) * ROW, chips))
    right = max((chip.x + chip.width for row in rows for chip in row.chips), default=0)
    width = -(-(max(round(len(label) * LETTER) + 16, right) + MARGIN) // STEP) * STEP
    return Box(label, whole, tuple(rows), mark, Size(width, HEAD + len(rows) * ROW + MARGIN - 2))


def _tokens(config: Config, view: NodeView) -> str:
    """Its tokens, with a bar between two pages."""
    size = config.page_size
    units = [unit_text(unit) for unit in view.segment]
    pages = (" ".join(units[at : at + size]) for at in range(0, len(units), size))
    return " | ".join(pages)


def _short(text: str, most: int) -> str:
    """Beginning and end of a text that is too long."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[half + 1 - most :]}"


def _chips(
    view: NodeView, component: Component, wrong: set[str], held: Held | None
) -> tuple[Chip, ...]:
    texts: list[tuple[str, str, bool]] = []
    for kind, pool, locks in (
        ("device", DEVICE[component], view.locks),
        ("host", HOST[component], view.host_locks),
    ):
        names = None if held is None else held.get(pool, ())
        words = lock_text("locked", None if locks is None else locks[component], names)
        lock = f", {words}" if words else ""
        differs = f"{component.name} {kind}" in wrong or "node" in wrong
        if view.slots[pool] is not None:
            texts.append((kind, kind + lock, differs))
        elif kind == "device" and component is not Component.FULL:
            texts.append(("tombstone", "tombstone" + lock, differs))
        elif differs or lock:
            texts.append(("tombstone", f"not on {kind}" + lock, differs))
    return _in_a_row(texts)


def _in_a_row(texts: Sequence[tuple[str, str, bool]]) -> tuple[Chip, ...]:
    x, chips = NAMES, list[Chip]()
    for kind, text, wrong in texts:
        width = round(len(text) * SMALL) + 10
        chips.append(Chip(kind, text, x, width, wrong))
        x += width + 4
    return tuple(chips)
