"""The abstraction function: nodes of the system under test, unrolled onto the pages of the model's
trie.

The abstraction remembers what was seen last, so that each observation costs only what changed. From
two observations of a node it derives which pages each pool lost, gained or moved: the choices the
model adopts, and the facts the properties are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from radixproof.impl.observation import ROOT, NodeView, Observation, Slots, SlotsPerPool
from radixproof.model.config import DEVICE, POOLS, Component, Config, Pool
from radixproof.model.key import Units
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.trie import Page
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging.forgotten import NO_SLOTS, Late, Written, twin
from radixproof.properties.judging.spelling import spell_node
from radixproof.properties.performing.ledger import Ledger

PageSlots = SlotsPerPool
NOWHERE: PageSlots = (None, None, None, None, None, None)


@dataclass(slots=True)
class Placed:
    """A node and the pages it unrolls to; ``tags`` names the content each of its tokens
    must have.
    """

    view: NodeView
    pages: list[Page]
    tags: list[int]
    resident_in: list[bool]
    """Per `Pool`: the system holds this node."""
    above_end: list[bool]
    """The same for pages other than the last, which have no MAMBA state."""

    @property
    def start(self) -> int:
        """Tokens from the root to the beginning of the node."""
        return self.pages[-1].end - len(self.tags)

    def pages_in(self, pool: Pool) -> list[Page]:
        """The pages whose state a slot of this node in ``pool`` is."""
        return self.pages[-1:] if pool.component is Component.MAMBA else self.pages

    def at(self, page: Page, size: int) -> int:
        """The number of a page of this node, of pages of ``size`` tokens."""
        return (page.end - self.start) // size - 1

    def part(self, at: int, pool: Pool, size: int) -> Slots | None:
        """The slots of page number ``at`` of the node, of pages of ``size`` tokens."""
        slots = self.view.slots[pool]
        if slots is None or pool.component is not Component.MAMBA:
            return slots and slots[at * size : (at + 1) * size]
        return slots if at == len(self.pages) - 1 else None


def _held_in(view: NodeView) -> tuple[list[bool], list[bool]]:
    held = [slots is not None for slots in view.slots]
    if not (held[Pool.MAMBA] or held[Pool.MAMBA_HOST]):
        return held, held
    return held, [
        there and pool.component is not Component.MAMBA
        for pool, there in zip(POOLS, held, strict=True)
    ]


@dataclass(slots=True)
class Delta:
    """What one step did to the nodes.

    ``gone`` and ``gained`` are indexed by `Pool`; dictionaries, so that their order is fixed.
    """

    gone: tuple[dict[Page, None], ...] = field(default_factory=lambda: ({}, {}, {}, {}, {}, {}))
    gained: tuple[dict[Page, None], ...] = field(default_factory=lambda: ({}, {}, {}, {}, {}, {}))
    moved: list[tuple[Page, Pool]] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    """Nodes that changed in any way."""
    reshaped: list[Placed] = field(default_factory=list)
    """Those of them in which more than locks and marks changed."""
    ends: list[tuple[Page, bool]] = field(default_factory=list)
    """For the pages of new nodes: whether a node ends there."""
    breaches: list[Breach] = field(default_factory=list)

    @property
    def still(self) -> bool:
        """Whether no page changed its state or its slots."""
        return not self.moved and not any(self.gone) and not any(self.gained)


class Named(NamedTuple):
    """A node as it was seen, the tags above it and of its end, and what its slots are called."""

    view: NodeView
    above: int
    end: int
    result: NodeView


class Abstraction:
    """Every node as last seen, on the model's pages."""

    def __init__(
        self,
        config: Config,
        model: Cache,
        ledger: Ledger,
        named: Sequence[Pool] = POOLS,
        forgotten: Sequence[Written] = NO_SLOTS,
    ) -> None:
        self.config = config
        self.forgotten = forgotten
        """Per `Pool`: slots that copies were still to write when a reset forgot them (12.1)."""
        self.nameless = tuple(pool for pool in config.pools if pool not in named)
        """Pools whose slots are not numbered: there a number is made up for each, by
        its content.
        """
        self.model = model
        self.ledger = ledger
        self.tags = ledger.tags
        self.named: dict[int, Named] = {}
        """The nodes of the last look with the numbers made up for their slots."""
        self.nodes: dict[int, Placed] = {}
        self.node_of: dict[Page, int] = {}
        self.owned: tuple[set[int], ...] = tuple(set() for _ in POOLS)
        """Per `Pool`: the slots that nodes hold."""
        self.strangers: dict[tuple[Page, Units], Page] = {}
        """Pages of prefixes that the system has, but the model has not."""
        self.unlocked = [0, 0, 0]
        self.locked = [0, 0, 0]
        """Per `Component`: slots on device in nodes that the system shows as unlocked,
        and as locked.
        """

    def update(self, seen: Observation) -> Delta:
        """Take in an observation.

        Slots owned twice and nodes that hang nowhere become breaches of the delta.
        """
        delta = Delta()
        if self.nameless:
            seen = replace(seen, nodes=self._name(seen.nodes))
        changed, removed = self._changes(seen)
        here, elsewhere = self._by_place(changed)
        forgotten = [
            self._forget(node)
            for node in (*removed, *(view.id for view in elsewhere))
            if node in self.nodes
        ]
        for view, refilled in here:
            if refilled:
                self._release(self.nodes[view.id].view, view)
        for view, refilled in here:
            refresh = self._refill if refilled else self._refresh
            refresh(self.nodes[view.id], view, delta)
        placed = [place for view in elsewhere if (place := self._place(view, delta)) is not None]
        delta.placed += placed
        delta.reshaped += placed
        if forgotten and placed:
            self._compare_all(forgotten, placed, delta)
        else:
            _all_pages(forgotten, delta.gone)
            _all_pages(placed, delta.gained)
        if self.nameless:
            delta.moved = [moved for moved in delta.moved if moved[1] not in self.nameless]
        return delta

    def _compare_all(self, forgotten: list[Placed], placed: list[Placed], delta: Delta) -> None:
        """Nodes changed shape: note how each of their pages changed."""
        before = {page: slots for node in forgotten for page, slots in self._page_slots(node)}
        after = {page: slots for node in placed for page, slots in self._page_slots(node)}
        for page in (*before, *(page for page in after if page not in before)):
            _compare(page, before.get(page, NOWHERE), after.get(page, NOWHERE), delta)

    def _name(self, views: Iterable[NodeView]) -> tuple[NodeView, ...]:
        """Numbers for slots without any: below 0, made of the tag that ends their page."""
        ends = {node: placed.tags[-1] for node, placed in self.nodes.items()}
        before, self.named = self.named, {}
        results: list[NodeView] = []
        for view in views:
            above, known = ends.get(view.parent, 0), before.get(view.id)
            if known is None or known.above != above or known.view != view:
                known = self._with_names(view, above)
            self.named[view.id] = known
            ends[view.id] = known.end
            results.append(known.result)
        return tuple(results)

    def _with_names(self, view: NodeView, above: int) -> Named:
        size = self.config.page_size
        tags = self.tags.of(view.namespace, above, view.segment)
        ended = (tags[at - at % size + size - 1 :][:1] for at in range(len(tags)))
        names = [-size * tag - at % size for at, found in enumerate(ended) for tag in found]
        slots = list(view.slots)
        for pool in self.nameless:
            count = 1 if pool.component is Component.MAMBA else len(names)
            if len(slots[pool] or ()) == count:
                slots[pool] = tuple(names[-count:])
        full, swa, mamba, full_host, swa_host, mamba_host = slots
        result = view._replace(slots=(full, swa, mamba, full_host, swa_host, mamba_host))
        return Named(view, above, tags[-1] if tags else 0, result)

    def _changes(self, seen: Observation) -> tuple[Sequence[NodeView], Iterable[int]]:
        if seen.whole is None:
            return seen.nodes, seen.removed
        here = {view.id for view in seen.nodes}
        changed = [
            view
            for view in seen.nodes
            if view.id not in self.nodes or self.nodes[view.id].view != view
        ]
        return changed, [node for node in self.nodes if node not in here]

    def _by_place(
        self, changed: Sequence[NodeView]
    ) -> tuple[list[tuple[NodeView, bool]], list[NodeView]]:
        """Nodes that stayed where they were in the tree, as most do, each with whether its slots
        changed; and nodes that are new there.
        """
        here: list[tuple[NodeView, bool]] = []
        elsewhere: list[NodeView] = []
        for view in changed:
            placed = self.nodes.get(view.id)
            if (
                placed is None
                or placed.view.segment != view.segment
                or placed.view.parent != view.parent
            ):
                elsewhere.append(view)
            elif placed.view.slots == view.slots:
                here.append((view, False))
            elif self._malformed(view):
                elsewhere.append(view)
            else:
                here.append((view, True))
        return here, elsewhere

    def _release(self, old: NodeView, new: NodeView | None) -> None:
        """Slots that a node no longer has belong to nobody."""
        for pool in self.config.pools:
            slots = old.slots[pool]
            if slots is not None and (new is None or slots != new.slots[pool]):
                self.owned[pool].difference_update(slots)

    def _refresh(self, placed: Placed, view: NodeView, delta: Delta) -> None:
        """Update a node that stayed where it was."""
        old, placed.view = placed.view, view
        if old.locks != view.locks or old.slots != view.slots:
            self._count(old, -1)
            self._count(view, +1)
        delta.placed.append(placed)

    def _refill(self, placed: Placed, view: NodeView, delta: Delta) -> None:
        """The same for a node in which slots came or went."""
        old = placed.view
        self._refresh(placed, view, delta)
        placed.resident_in, placed.above_end = _held_in(view)
        delta.reshaped.append(placed)
        self._claim(placed, old, delta.breaches)
        for pool in self.config.pools:
            had, has = old.slots[pool], view.slots[pool]
            if had == has:
                continue
            if has is None:
                delta.gone[pool].update(dict.fromkeys(placed.pages_in(pool)))
            elif had is None:
                delta.gained[pool].update(dict.fromkeys(placed.pages_in(pool)))
            else:
                size, before = (
                    self.config.page_size,
                    Placed(old, placed.pages, placed.tags, placed.resident_in, placed.above_end),
                )
                pages = enumerate(placed.pages)
                delta.moved += [
                    (page, pool)
                    for at, page in pages
                    if before.part(at, pool, size) != placed.part(at, pool, size)
                ]

    def _forget(self, node: int) -> Placed:
        placed = self.nodes.pop(node)
        for page in placed.pages:
            if self.node_of.get(page) == node:
                del self.node_of[page]
        self._release(placed.view, None)
        self._count(placed.view, -1)
        return placed

    def _place(self, view: NodeView, delta: Delta) -> Placed | None:
        """Unroll a node onto pages: the model's, or strangers."""
        problem = self._malformed(view)
        if problem:
            text = f"{self._spelled(view)} {problem}"
            delta.breaches.append(Breach(Property.DEVPATH, "malformed-node", text))
            return None
        above = self.nodes.get(view.parent)
        page = self.model.trie.root(view.namespace) if above is None else above.pages[-1]
        size = self.config.page_size
        pages = []
        for start in range(0, len(view.segment), size):
            page = self._below(page, view.segment[start : start + size])
            pages.append(page)
        self._compare_ends(pages, delta)
        tags = self.tags.of(view.namespace, above.tags[-1] if above else 0, view.segment)
        placed = self.nodes[view.id] = Placed(view, pages, tags, *_held_in(view))
        for page in pages:
            other = self.node_of.setdefault(page, view.id)
            if other != view.id:
                nodes = (self._spelled(one) for one in (self.nodes[other].view, view))
                text = f"{spell([page])} is in the tree twice, in {' and in '.join(nodes)}"
                delta.breaches.append(Breach(Property.DEVPATH, "prefix-twice", text))
        self._claim(placed, None, delta.breaches)
        self._count(view, +1)
        return placed

    def _below(self, above: Page, tokens: Units) -> Page:
        """The page of a prefix: the model's, or a stranger until the model adopts it."""
        page = above.children.get(tokens)
        if page is None:
            page = self.strangers.get((above, tokens))
        if page is None:
            page = Page(tokens, above, above.end + len(tokens), above.namespace)
            self.strangers[above, tokens] = page
        return page

    def _compare_ends(self, pages: list[Page], delta: Delta) -> None:
        """Note where a new node ends, and report it if the model disagrees."""
        for page in pages:
            ends = page is pages[-1]
            if page.cut != ends and page in self.model.trie.recency:
                rule = "cut-unasked" if ends else "not-cut"
                text = (
                    f"a node {'ends' if ends else 'goes on'} after {spell([page])}, "
                    f"where by the rules it {'ends' if page.cut else 'goes on'}"
                )
                delta.breaches.append(Breach(Property.MATCH, rule, text))
            if page.cut != ends:
                delta.ends.append((page, ends))

    def _malformed(self, view: NodeView) -> str:
        if not view.segment or len(view.segment) % self.config.page_size:
            tokens = len(view.segment)
            return f"has a key segment of {tokens} tokens, which is not a whole number of pages"
        if view.parent != ROOT and view.parent not in self.nodes:
            return "hangs under a node that is not in the tree"
        tokens = len(view.segment)
        for pool in self.config.pools:
            slots, needed = view.slots[pool], 1 if pool.component is Component.MAMBA else tokens
            if slots is not None and len(slots) != needed:
                return f"has {len(slots)} {pool.name} slots for {tokens} tokens"
        return ""

    def _claim(self, placed: Placed, old: NodeView | None, breaches: list[Breach]) -> None:
        """Slots that are new to a node become its own; a breach if they belonged to somebody."""
        for pool in self.config.pools:
            slots, owned = placed.view.slots[pool], self.owned[pool]
            if slots is None or (old is not None and slots == old.slots[pool]):
                continue
            rows = self.ledger.rows[pool]
            free = owned.isdisjoint(slots) and rows.isdisjoint(slots)
            if pool not in self.nameless and (len(set(slots)) != len(slots) or not free):
                breaches.append(self._owned_twice(pool, placed.view, slots))
            owned.update(slots)

    def _owned_twice(self, pool: Pool, view: NodeView, slots: Slots) -> Breach:
        owned, rows = self.owned[pool], self.ledger.rows[pool]
        slot = next((slot for slot in slots if slot in owned or slot in rows), slots[0])
        others = [
            other
            for other, placed in self.nodes.items()
            if slot in (placed.view.slots[pool] or ()) and other != view.id
        ]
        kind = Property.OWN_H if pool.on_host else Property.OWN
        request = "a request" if slot in rows else "itself again"
        other = self._spelled(self.nodes[others[0]].view) if others else request
        text = f"{pool.name} slot {slot} belongs to {self._spelled(view)} and to {other}"
        return Breach(kind, "owned-twice", text)

    def _spelled(self, view: NodeView) -> str:
        """A node as pictures of the tree show it."""
        views = {node: placed.view for node, placed in self.nodes.items()}
        return spell_node(views | {view.id: view}, view.id)

    def _count(self, view: NodeView, by: int) -> None:
        locks = view.locks
        if locks is None:
            return
        for component in self.config.components:
            slots = view.slots[component]
            if slots is not None:
                sizes = self.locked if locks[component] > 0 else self.unlocked
                sizes[component] += by * len(slots)

    def _page_slots(self, node: Placed) -> Iterator[tuple[Page, PageSlots]]:
        size = self.config.page_size
        for at, page in enumerate(node.pages):
            full, swa, mamba, host, swa_host, mamba_host = (
                node.part(at, pool, size) for pool in POOLS
            )
            yield page, (full, swa, mamba, host, swa_host, mamba_host)

    def resident_in(self, page: Page) -> list[bool]:
        """Per `Pool`: the system holds this page."""
        placed = self.placed(page)
        if placed is None:
            return [False] * len(POOLS)
        return placed.resident_in if page is placed.pages[-1] else placed.above_end

    def still_written(self) -> list[Written]:
        """Per `Pool`: what copies are still to write, forgotten ones included. Where their slots
        are not shown, whatever is loaded back may be from them.
        """
        written = deepcopy(list(self.forgotten))
        flying = [copy for copy in self.model.copies.flying if not copy.complete]
        for pool, pages in (target for copy in flying for target in copy.targets.items()):
            if pool in self.nameless:
                device = DEVICE[pool.component]
                for slot in range(self.config.slots(device) + self.config.page_size + 1):
                    written[device].setdefault(slot, Late())
            else:
                source = twin(pool)
                for page in pages:
                    read, _ = self.content(page, source)
                    for at, (slot, tag) in enumerate(zip(*self.content(page, pool), strict=False)):
                        late = written[pool].setdefault(slot, Late())
                        late.tags.add(tag)
                        late.sources.update((source, one) for one in read[at : at + 1])
        return written

    def content(self, page: Page, pool: Pool) -> tuple[Slots, list[int]]:
        """The system's slots of a page, and the tags of what they have to hold; no slots if it has
        none there.
        """
        placed, size, unit = self.placed(page), self.config.page_size, self.config.unit(pool)
        if placed is None:
            return (), []
        at = placed.at(page, size)
        held = placed.part(at, pool, size)
        return held or (), placed.tags[(at + 1) * size - unit : (at + 1) * size]

    def slots_of(self, page: Page, pool: Pool) -> Slots | None:
        """The system's slots of a page, None if it has none there."""
        placed, size = self.placed(page), self.config.page_size
        if placed is None:
            return None
        return placed.part(placed.at(page, size), pool, size)

    def placed(self, page: Page) -> Placed | None:
        """The node that a page is in."""
        node = self.node_of.get(page)
        return None if node is None else self.nodes[node]

    def path_slots(self, end: Page, pool: Pool) -> list[int]:
        """The system's slots of the whole path down to ``end``, as last seen."""
        slots: list[int] = []
        page: Page | None = end
        while page is not None and page in self.node_of:
            placed = self.nodes[self.node_of[page]]
            top = placed.pages[0]
            slots[:0] = (placed.view.slots[pool] or ())[
                : page.end - top.end + self.config.page_size
            ]
            page = top.parent
        return slots


def _all_pages(nodes: list[Placed], pages: tuple[dict[Page, None], ...]) -> None:
    """Add the pages of whole nodes, in each pool that holds them."""
    for node in nodes:
        for pool in POOLS:
            if node.resident_in[pool]:
                pages[pool].update(dict.fromkeys(node.pages_in(pool)))


def _compare(page: Page, before: PageSlots, after: PageSlots, delta: Delta) -> None:
    """Note how one page changed in each pool."""
    if before == after:
        return
    for pool in POOLS:
        old, new = before[pool], after[pool]
        if old == new:
            continue
        if new is None:
            delta.gone[pool][page] = None
        elif old is None:
            delta.gained[pool][page] = None
        else:
            delta.moved.append((page, pool))
