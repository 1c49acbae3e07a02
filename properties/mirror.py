"""The abstraction function: nodes of the system under test, unrolled onto the pages of the model's trie.

The mirror remembers what was seen last, so that each observation costs only what changed. From two sights of a node it tells which
pages each pool lost, gained or moved: the choices the model adopts, and the facts the properties are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from radixproof.model.cache import Cache
from radixproof.model.config import Component, Config, Pool
from radixproof.model.observation import ROOT, NodeView, Observation, Slots
from radixproof.model.trie import Page
from radixproof.model.verdict import Breach, Property

PageSlots = tuple[Slots | None, Slots | None, Slots | None, Slots | None]
NOWHERE: PageSlots = (None, None, None, None)


@dataclass(slots=True)
class Placed:
    """A node and the pages it unrolls to; ``tags`` names the content each of its tokens must have."""

    view: NodeView
    pages: list[Page]
    tags: list[int]


@dataclass(slots=True)
class Delta:
    """What one step did to the nodes. ``gone`` and ``gained`` are indexed by `Pool`."""

    gone: tuple[set[Page], ...] = field(default_factory=lambda: tuple(set() for _ in Pool))
    gained: tuple[set[Page], ...] = field(default_factory=lambda: tuple(set() for _ in Pool))
    moved: list[tuple[Page, Pool]] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    @property
    def still(self) -> bool:
        """No page changed its state or its slots."""
        return not self.moved and not any(self.gone) and not any(self.gained)


class Tags:
    """Names for content: one small number per prefix, the same in every run of a history."""

    def __init__(self) -> None:
        self.known: dict[tuple[int | str, int], int] = {}

    def of(self, namespace: str, above: int, tokens: Iterable[int]) -> list[int]:
        """Tags of ``tokens`` that follow the prefix tagged ``above`` (0: none)."""
        tags = []
        for token in tokens:
            step = (above or namespace, token)
            above = self.known.setdefault(step, len(self.known) + 1)
            tags.append(above)
        return tags


class Mirror:
    """The last sight of every node, on the model's pages."""

    def __init__(self, config: Config, model: Cache, tags: Tags) -> None:
        self.config = config
        self.model = model
        self.tags = tags
        self.nodes: dict[int, Placed] = {}
        self.node_of: dict[Page, int] = {}
        self.owner: tuple[dict[int, int], ...] = tuple({} for _ in Pool)
        """Per `Pool`: the node that holds each slot."""
        self.unlocked = [0, 0]
        self.locked = [0, 0]
        """Per `Component`: tokens on device in nodes that the system shows as unlocked, and as locked."""

    def update(self, seen: Observation) -> Delta:
        """Take an observation in. Slots owned twice and nodes that hang nowhere are breaches of the delta."""
        delta = Delta()
        changed, removed = self._changes(seen)
        before: dict[Page, PageSlots] = {}
        for node in (*removed, *(view.id for view in changed)):
            if node in self.nodes:
                before.update(self._forget(node))
        after: dict[Page, PageSlots] = {}
        for view in changed:
            placed = self._place(view, delta.breaches)
            if placed is not None:
                delta.placed.append(placed)
                after.update(self._page_slots(placed))
        for page in (*before, *(page for page in after if page not in before)):
            self._compare(page, before.get(page, NOWHERE), after.get(page, NOWHERE), delta)
        return delta

    def _changes(self, seen: Observation) -> tuple[list[NodeView], Iterable[int]]:
        if seen.whole is None:
            return list(seen.nodes), seen.removed
        here = {view.id for view in seen.nodes}
        changed = [view for view in seen.nodes if view.id not in self.nodes or self.nodes[view.id].view != view]
        return changed, [node for node in self.nodes if node not in here]

    def _forget(self, node: int) -> Iterator[tuple[Page, PageSlots]]:
        placed = self.nodes.pop(node)
        for page in placed.pages:
            if self.node_of.get(page) == node:
                del self.node_of[page]
        for owner, slots in zip(self.owner, placed.view.slots, strict=True):
            for slot in slots or ():
                if owner.get(slot) == node:
                    del owner[slot]
        self._count(placed.view, -1)
        return self._page_slots(placed)

    def _place(self, view: NodeView, breaches: list[Breach]) -> Placed | None:
        size = self.config.page_size
        problem = self._malformed(view)
        if problem:
            breaches.append(Breach(Property.DEVPATH, "malformed-node", f"node {view.id} {problem}"))
            return None
        above = self.nodes.get(view.parent)
        page = self.model.trie.root(view.namespace) if above is None else above.pages[-1]
        pages = []
        for start in range(0, len(view.segment), size):
            page = self.model.trie.child(page, view.segment[start : start + size])
            pages.append(page)
        tags = self.tags.of(view.namespace, above.tags[-1] if above else 0, view.segment)
        placed = Placed(view, pages, tags)
        self._claim(placed, breaches)
        for inner in pages[:-1]:
            inner.cut = False
        self.model.split(pages[-1])
        return placed

    def _malformed(self, view: NodeView) -> str:
        if not view.segment or len(view.segment) % self.config.page_size:
            return f"has a key segment of {len(view.segment)} tokens, which is not a whole number of pages"
        if view.parent != ROOT and view.parent not in self.nodes:
            return f"hangs under node {view.parent}, which is not in the tree"
        for pool, slots in zip(Pool, view.slots, strict=True):
            if slots is not None and len(slots) != len(view.segment):
                return f"has {len(slots)} {pool.name} slots for {len(view.segment)} tokens"
        return ""

    def _claim(self, placed: Placed, breaches: list[Breach]) -> None:
        view = placed.view
        for pool, slots in zip(Pool, view.slots, strict=True):
            owner = self.owner[pool]
            for slot in slots or ():
                other = owner.setdefault(slot, view.id)
                if other != view.id:
                    kind = Property.OWN_H if pool.on_host else Property.OWN
                    breaches.append(
                        Breach(kind, "owned-twice", f"{pool.name} slot {slot} belongs to node {other} and to node {view.id}")
                    )
                    break
        self.nodes[view.id] = placed
        for page in placed.pages:
            self.node_of[page] = view.id
        self._count(view, +1)

    def _count(self, view: NodeView, by: int) -> None:
        for component in self.config.components:
            slots = view.slots[Pool(component)]
            if slots is not None:
                sizes = self.locked if view.locks[component] > 0 else self.unlocked
                sizes[component] += by * len(slots)

    def _page_slots(self, placed: Placed) -> Iterator[tuple[Page, PageSlots]]:
        size = self.config.page_size
        full, swa, host, swa_host = placed.view.slots
        for at, page in enumerate(placed.pages):
            part = slice(at * size, (at + 1) * size)
            yield page, (full and full[part], swa and swa[part], host and host[part], swa_host and swa_host[part])

    def _compare(self, page: Page, before: PageSlots, after: PageSlots, delta: Delta) -> None:
        if before == after:
            return
        for pool in Pool:
            old, new = before[pool], after[pool]
            if old == new:
                continue
            if new is None:
                delta.gone[pool].add(page)
            elif old is None:
                delta.gained[pool].add(page)
            else:
                delta.moved.append((page, pool))

    def held_in(self, page: Page) -> tuple[bool, bool, bool, bool]:
        """Per `Pool`: the system holds this page."""
        node = self.node_of.get(page)
        if node is None:
            return (False, False, False, False)
        full, swa, host, swa_host = self.nodes[node].view.slots
        return (full is not None, swa is not None, host is not None, swa_host is not None)

    def locks(self, page: Page) -> tuple[int, int]:
        node = self.node_of.get(page)
        return (0, 0) if node is None else self.nodes[node].view.locks

    def path_slots(self, end: Page, pool: Pool) -> list[int]:
        """The system's slots of the whole path down to ``end``."""
        slots: list[int] = []
        for page in end.path():
            node = self.node_of.get(page)
            if node is not None and page is self.nodes[node].pages[-1]:
                slots.extend(self.nodes[node].view.slots[pool] or ())
        return slots

    def resident(self, component: Component) -> int:
        return self.unlocked[component] + self.locked[component]
