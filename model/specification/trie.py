"""The state of the specification: a trie with one entry per page (semantics 1).

A radix tree compresses runs of pages into nodes, and most bugs live in that compression. So the
specification does not compress: each page records for itself on which tiers it is and who holds
it, and a node boundary is just a mark on a page, the *cut*. Splitting a node sets a cut and
changes nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple, TypeAlias

from radixproof.model.config import COMPONENTS, DEVICE, HOST, POOLS, Component, Config, Pool
from radixproof.model.key import Key, Units, tokens_of


class HolderKind(StrEnum):
    """What locks pages (semantics 6, 8.3, 9.2, 11)."""

    RECEIPT = "receipt"
    """A lock that a history took by name."""
    REQUEST = "request"
    """The lock on the prefix of a request alive."""
    PREFETCH = "prefetch"
    """The lock on the prefix of a prefetch that has begun."""
    COPY = "copy"
    """A backup or load-back, until its ack."""


class Holder(NamedTuple):
    """Somebody who locks pages. ``name`` is that of a receipt, a request, a prefetch, or a kind of
    copy.
    """

    kind: HolderKind
    name: str
    number: int = 0
    """Which of the locks that one request takes after another, or which copy."""

    def __str__(self) -> str:
        of_another = self.kind in (HolderKind.REQUEST, HolderKind.PREFETCH)
        whose = f"{self.name}'s lock" if of_another else self.name
        return f"{whose} {self.number}" if self.number else whose


class Amounts(NamedTuple):
    """Slots per component: tokens, of MAMBA states (semantics 1.5)."""

    full: int = 0
    swa: int = 0
    mamba: int = 0

    def plus(self, other: Amounts) -> Amounts:
        """The sum of both (semantics 7.5)."""
        return Amounts(self.full + other.full, self.swa + other.swa, self.mamba + other.mamba)


@dataclass(slots=True, eq=False)
class Page:
    """One page of one prefix. One without a parent is the root of its namespace, and empty."""

    tokens: Units
    parent: Page | None
    end: int
    """Tokens from the root through this page."""
    namespace: str = ""
    children: dict[Units, Page] = field(default_factory=dict)
    cut: bool = False
    """A node ends with this page."""
    resident_in: list[bool] = field(default_factory=lambda: [False] * len(POOLS))
    """Per `Pool`: it holds this page's state (MAMBA: the state at its end). Read through `has`."""
    holders: list[tuple[Holder, ...]] = field(default_factory=lambda: [()] * len(POOLS))
    """Per `Pool`: the receipts, requests and copies that lock this page there."""
    hits: int = 0
    inserts: int = 0
    """Inserts that walked or made it: more than its hits if a request came back to it (8.1)."""
    created: int = 0
    """Number of the insert that made it."""
    priority: int = 0
    urgency: int = 0
    """Its priority where what is fetched below the root takes that of the most urgent insert: not
    by a rule, but to name a cause (10.3).
    """
    used: int = 0
    """When: its place in `Trie.recency`."""
    renewed: list[int] = field(default_factory=lambda: [0] * len(COMPONENTS))
    """Per `Component`: when it became the newest on the device there, by the clock of `used`."""
    halved: int = 0
    """When its node was last split, by the same clock: not by a rule, but to name a cause (5.5)."""
    window: int = 0
    """When its SWA came to the device, counted by `Trie.windows` (3.7)."""

    def has(self, pool: Pool) -> bool:
        """Whether a pool holds this page (semantics 1.3)."""
        return self.resident_in[pool]

    @property
    def host_only(self) -> bool:
        """FULL is on the host and not on the device: the page is H (semantics 1.2)."""
        return self.resident_in[Pool.FULL_HOST] and not self.resident_in[Pool.FULL]

    def locked_in(self, pool: Pool) -> bool:
        """Whether anybody locks this page in a pool (semantics 1.1)."""
        return bool(self.holders[pool])

    @property
    def locked(self) -> bool:
        """Whether any component is locked on the device (semantics 1.6)."""
        full, swa, mamba, _, _, _ = self.holders
        return bool(full or swa or mamba)

    @property
    def host_locked(self) -> bool:
        """Whether any component is locked on the host (semantics 1.6)."""
        return any(self.holders[len(DEVICE) :])

    @property
    def lacks(self) -> bool:
        """Whether something on the device has no copy on the host (semantics 8.3)."""
        full, swa, mamba, full_host, swa_host, mamba_host = self.resident_in
        return (full and not full_host) or (swa and not swa_host) or (mamba and not mamba_host)

    def lacking(self) -> list[Pool]:
        """Host pools that have no copy of what is on the device (semantics 8.3)."""
        return [
            host
            for device, host in zip(DEVICE, HOST, strict=True)
            if self.resident_in[device] and not self.resident_in[host]
        ]

    def path(self) -> list[Page]:
        """Pages from the root (not included) to this one (semantics 1.4)."""
        pages: list[Page] = []
        page: Page | None = self
        while page is not None and page.parent is not None:
            pages.append(page)
            page = page.parent
        pages.reverse()
        return pages

    def node(self) -> list[Page]:
        """The pages of the node that ends with this page, top first (semantics 1.1)."""
        pages = [self]
        above = self.parent
        while above is not None and above.parent is not None and not above.cut:
            pages.append(above)
            above = above.parent
        pages.reverse()
        return pages

    def node_end(self) -> Page:
        """The last page of the node that this page belongs to (semantics 1.1)."""
        page = self
        while not page.cut:
            (page,) = page.children.values()
        return page

    def key(self) -> Key:
        """The prefix that ends with this page (semantics 1.1)."""
        return Key(
            tokens_of([unit for page in self.path() for unit in page.tokens]), self.namespace
        )


PagesPerPool: TypeAlias = dict[Pool, list[Page]]
PageOrders: TypeAlias = tuple[OrderedDict[Page, None], ...]


class Trie:
    """Pages by prefix, what each pool holds, and the order in which pages were last used.

    A page that is not in `recency` is a name for a prefix and nothing more: the tree does not
    have it.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.roots: dict[str, Page] = {}
        self.used = [0] * len(POOLS)
        """Pages held by the tree, per `Pool`."""
        self.rows = [0] * len(POOLS)
        """Slots held by requests, per `Pool`."""
        self.host_only: PageOrders = tuple(OrderedDict() for _ in COMPONENTS)
        """Per `Component`: pages on the host only, in the order in which they became so (7.9)."""
        self.on_both: dict[Page, None] = {}
        """Pages of which FULL is on both tiers."""
        self.uses = 0
        self.windows = 0
        """How often SWA of a page came to the device (3.7)."""
        self.recency: OrderedDict[Page, None] = OrderedDict()
        """All pages, least recently used first."""
        self.recency_in: PageOrders = tuple(OrderedDict() for _ in COMPONENTS)
        """Per device pool: the pages it holds, least recently used first (3.5)."""
        self.changed: dict[Page, None] = {}
        """Pages whose state changed since this was last emptied."""

    def root(self, namespace: str) -> Page:
        """The root of a namespace (semantics 2.1)."""
        if namespace not in self.roots:
            self.roots[namespace] = Page((), None, 0, namespace, cut=True)
        return self.roots[namespace]

    def units(self, key: Key) -> Units:
        """The key as the tree sees it, floored to whole pages (semantics 2.2, 2.3)."""
        units = key.units(self.config.bigram)
        return units[: self.config.floor(len(units))]

    def walk(self, key: Key) -> list[Page]:
        """The longest path of pages in the trie that spells a prefix of ``key`` (semantics 3.1)."""
        page = self.root(key.namespace)
        units = self.units(key)
        size = self.config.page_size
        path: list[Page] = []
        for start in range(0, len(units), size):
            child = page.children.get(units[start : start + size])
            if child is None:
                break
            path.append(child)
            page = child
        return path

    def child(self, page: Page, tokens: Units) -> Page:
        """The page below ``page``, made if it is not there; a new one is empty (semantics 4.2)."""
        if tokens not in page.children:
            page.children[tokens] = Page(tokens, page, page.end + len(tokens), page.namespace)
        return page.children[tokens]

    def extend(self, key: Key) -> list[Page]:
        """The whole path of ``key``, made where it is missing; new pages are empty (semantics 4.2).

        They are not part of the tree before they have been used.
        """
        page = self.root(key.namespace)
        units = self.units(key)
        size = self.config.page_size
        path: list[Page] = []
        for start in range(0, len(units), size):
            page = self.child(page, units[start : start + size])
            path.append(page)
        return path

    def put(self, page: Page, pool: Pool) -> None:
        """``pool`` holds the page now; what arrives on the device is the newest there
        (1.3, 1.7).
        """
        if not page.resident_in[pool]:
            page.resident_in[pool] = True
            self._count(page, pool, +1)
            if pool is Pool.SWA:
                self.windows += 1
                page.window = self.windows
            if not pool.on_host:
                self.recency_in[pool][page] = None
                page.renewed[pool] = self.uses

    def drop(self, page: Page, pool: Pool) -> None:
        """``pool`` holds the page no longer (semantics 1.3)."""
        if page.resident_in[pool]:
            page.resident_in[pool] = False
            self._count(page, pool, -1)
            if not pool.on_host:
                del self.recency_in[pool][page]

    def _count(self, page: Page, pool: Pool, by: int) -> None:
        """Keep the sums, and the lists of what is where, that follow from residency (1.3, 7.9)."""
        self.changed[page] = None
        self.used[pool] += by
        component = pool.component
        here = page.resident_in[DEVICE[component]]
        hosted = page.resident_in[HOST[component]]
        self.host_only[component].pop(page, None)
        if hosted and not here:
            self.host_only[component][page] = None
        if component is Component.FULL:
            self.on_both.pop(page, None)
            if hosted and here:
                self.on_both[page] = None

    def remove(self, page: Page) -> None:
        """Take a page that has no children out of the trie, from every pool (semantics 7.4)."""
        assert page.parent is not None
        assert not page.children
        for pool in POOLS:
            self.drop(page, pool)
        self.changed[page] = None
        self.recency.pop(page, None)
        del page.parent.children[page.tokens]

    def subtree(self, node: list[Page]) -> list[Page]:
        """The pages of a node and of all that hangs below it, parents first (semantics 7.4)."""
        pages = [node[0]]
        for page in pages:
            pages += page.children.values()
        return pages

    def delete(self, node: list[Page]) -> None:
        """Take a node out of the trie, and whatever hangs below on the host (semantics 7.4)."""
        for page in reversed(self.subtree(node)):
            self.remove(page)

    def touch(self, pages: list[Page]) -> None:
        """These pages, top first, are the most recently used: the last is the newest (1.7, 3.5)."""
        for page in pages:
            self.uses += 1
            page.used = self.uses
            self.recency[page] = None
            self.recency.move_to_end(page)
        self.renew(pages, Pool.FULL)

    def renew(self, pages: list[Page], pool: Pool) -> None:
        """Those of these pages that a device pool holds become the newest there (1.7, 3.5)."""
        order = self.recency_in[pool]
        for page in pages:
            if page.resident_in[pool]:
                order.move_to_end(page)
                page.renewed[pool] = self.uses

    def sort_by_use(self, back: list[Page]) -> None:
        """FULL that has come back is no newer than its last use (semantics 9.4)."""
        since = min((page.used for page in back), default=self.uses + 1)
        order = self.recency_in[Pool.FULL]
        newest = takewhile(lambda one: one.used >= since, reversed(order))
        for page in sorted(newest, key=lambda one: one.used):
            order.move_to_end(page)

    def free(self, pool: Pool) -> int:
        """Free slots of a pool (semantics 13.4)."""
        return self.config.slots(pool) - self.used[pool] * self.config.unit(pool) - self.rows[pool]
