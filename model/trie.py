"""The state of the specification: a trie with one entry per page.

A radix tree compresses runs of pages into nodes, and most bugs live in that compression. So the specification does not compress:
each page records for itself on which tiers it is and who holds it, and a node boundary is just a mark on a page, the *cut*.
Splitting a node sets a cut and changes nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from radixproof.model.config import DEVICE, HOST, POOLS, Component, Config, Pool
from radixproof.model.key import Key, Units, tokens_of


@dataclass(slots=True, eq=False)
class Page:
    """One page of one prefix. A page without parent is the root of its namespace and holds nothing."""

    tokens: Units
    parent: Page | None
    end: int
    """Tokens from the root through this page."""
    namespace: str = ""
    children: dict[Units, Page] = field(default_factory=dict)
    cut: bool = False
    """A node ends with this page."""
    resident_in: list[bool] = field(default_factory=lambda: [False] * len(POOLS))
    """Per `Pool`: the pool holds this page's state (MAMBA: the state at its end). Read through `has`."""
    holders: list[tuple[str, ...]] = field(default_factory=lambda: [()] * len(POOLS))
    """Per `Pool`: names of the receipts and copies that lock this page there."""
    hits: int = 0
    created: int = 0
    """Number of the insert that made it."""
    priority: int = 0
    used: int = 0
    """When: its place in `Trie.recency`."""
    owed: list[Pool] = field(default_factory=list)
    """Host pools that have no copy although it was due, and there was room."""

    def has(self, pool: Pool) -> bool:
        return self.resident_in[pool]

    @property
    def host_only(self) -> bool:
        return self.resident_in[Pool.FULL_HOST] and not self.resident_in[Pool.FULL]

    def locked_in(self, pool: Pool) -> bool:
        return bool(self.holders[pool])

    @property
    def locked(self) -> bool:
        return any(self.holders[: len(DEVICE)])

    @property
    def host_locked(self) -> bool:
        return any(self.holders[len(DEVICE) :])

    @property
    def lacks(self) -> bool:
        """Something that is on the device has no copy on the host."""
        full, swa, mamba, full_host, swa_host, mamba_host = self.resident_in
        return (full and not full_host) or (swa and not swa_host) or (mamba and not mamba_host)

    def lacking(self) -> list[Pool]:
        """Host pools that have no copy of what is on the device."""
        return [
            host
            for device, host in zip(DEVICE, HOST, strict=True)
            if self.resident_in[device] and not self.resident_in[host]
        ]

    def path(self) -> list[Page]:
        """Pages from the root (not included) to this one."""
        pages: list[Page] = []
        page: Page | None = self
        while page is not None and page.parent is not None:
            pages.append(page)
            page = page.parent
        pages.reverse()
        return pages

    def node(self) -> list[Page]:
        """The pages of the node that ends with this page, top first."""
        pages = [self]
        above = self.parent
        while above is not None and above.parent is not None and not above.cut:
            pages.append(above)
            above = above.parent
        pages.reverse()
        return pages

    def node_end(self) -> Page:
        """The last page of the node this page belongs to."""
        page = self
        while not page.cut:
            (page,) = page.children.values()
        return page

    def key(self) -> Key:
        """The prefix that ends with this page."""
        return Key(
            tokens_of([unit for page in self.path() for unit in page.tokens]), self.namespace
        )


def spell(pages: Sequence[Page]) -> str:
    """The tokens of a run of pages, with namespace and the prefix they hang under: ``a:[1 2 | 3 4]``."""
    above = pages[0].parent
    head = " ".join(map(str, above.key().tokens)) if above is not None else ""
    tail = " ".join(map(str, tokens_of([unit for page in pages for unit in page.tokens])))
    namespace = f"{pages[0].namespace}:" if pages[0].namespace else ""
    return f"{namespace}[{head} | {tail}]" if head else f"{namespace}[{tail}]"


class Trie:
    """Pages by prefix, what each pool holds, and the order in which pages were last used."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.roots: dict[str, Page] = {}
        self.used = [0] * len(POOLS)
        """Pages held by the tree, per `Pool`."""
        self.rows = [0] * len(POOLS)
        """Slots held by requests, per `Pool`."""
        self.host_only: tuple[OrderedDict[Page, None], ...] = (
            OrderedDict(),
            OrderedDict(),
            OrderedDict(),
        )
        """Per `Component`, the pages on the host only, in the order in which they came to be (semantics 7.9)."""
        self.on_both: dict[Page, None] = {}
        """Pages of which FULL is on both tiers."""
        self.uses = 0
        self.recency: OrderedDict[Page, None] = OrderedDict()
        """All pages, least recently used first."""
        self.recency_in: tuple[OrderedDict[Page, None], ...] = (
            OrderedDict(),
            OrderedDict(),
            OrderedDict(),
        )
        """Per device pool, the pages it holds, least recently used first: SWA and MAMBA have a recency of their own (3.5)."""
        self.changed: dict[Page, None] = {}
        """Pages whose state changed since this was last emptied."""

    def root(self, namespace: str) -> Page:
        if namespace not in self.roots:
            self.roots[namespace] = Page((), None, 0, namespace, cut=True)
        return self.roots[namespace]

    def all_units(self, key: Key) -> Units:
        """The key as the tree sees it (semantics 2.2)."""
        return key.units(self.config.bigram)

    def units(self, key: Key) -> Units:
        """The same, floored to whole pages (semantics 2.3)."""
        units = self.all_units(key)
        return units[: self.config.floor(len(units))]

    def walk(self, key: Key) -> list[Page]:
        """The longest path of pages that are in the trie and spell a prefix of ``key``."""
        page, size, units = self.root(key.namespace), self.config.page_size, self.units(key)
        path: list[Page] = []
        for end in range(size, len(units) + 1, size):
            child = page.children.get(units[end - size : end])
            if child is None:
                break
            path.append(child)
            page = child
        return path

    def child(self, page: Page, tokens: Units) -> Page:
        """The page below ``page``, made if it is not there; a new page holds nothing yet."""
        if tokens not in page.children:
            page.children[tokens] = Page(tokens, page, page.end + len(tokens), page.namespace)
        return page.children[tokens]

    def extend(self, key: Key) -> list[Page]:
        """The whole path of ``key``, made where it is missing; new pages hold nothing, and have not been used, yet."""
        page, size, units = self.root(key.namespace), self.config.page_size, self.units(key)
        path: list[Page] = []
        for start in range(0, len(units), size):
            page = self.child(page, units[start : start + size])
            path.append(page)
        return path

    def put(self, page: Page, pool: Pool) -> None:
        """``pool`` holds the page now."""
        if not page.resident_in[pool]:
            page.resident_in[pool] = True
            self._count(page, pool, +1)
            if not pool.on_host:
                self.recency_in[pool][page] = None

    def drop(self, page: Page, pool: Pool) -> None:
        """``pool`` holds the page no longer."""
        if page.resident_in[pool]:
            page.resident_in[pool] = False
            self._count(page, pool, -1)
            if not pool.on_host:
                del self.recency_in[pool][page]

    def _count(self, page: Page, pool: Pool, by: int) -> None:
        self.changed[page] = None
        self.used[pool] += by
        component = pool.component
        here, hosted = page.resident_in[DEVICE[component]], page.resident_in[HOST[component]]
        self.host_only[component].pop(page, None)
        if hosted and not here:
            self.host_only[component][page] = None
        if component is Component.FULL:
            self.on_both.pop(page, None)
            if hosted and here:
                self.on_both[page] = None

    def remove(self, page: Page) -> None:
        """Take a page that has no children out of the trie, from every pool."""
        assert page.parent is not None
        assert not page.children
        for pool in POOLS:
            self.drop(page, pool)
        self.changed[page] = None
        self.recency.pop(page, None)
        del page.parent.children[page.tokens]

    def subtree(self, node: list[Page]) -> list[Page]:
        """The pages of a node and of all that hangs below it, parents first."""
        pages = [node[0]]
        for page in pages:
            pages += page.children.values()
        return pages

    def delete(self, node: list[Page]) -> None:
        """Take the pages of a node out of the trie, and with them whatever hangs below on the host (semantics 7.4)."""
        for page in reversed(self.subtree(node)):
            self.remove(page)

    def touch(self, pages: list[Page]) -> None:
        """These pages, top first, are the most recently used: the last is the newest (semantics 3.5)."""
        for page in pages:
            self.uses += 1
            page.used = self.uses
            self.recency[page] = None
            self.recency.move_to_end(page)
        self.renew(pages, Pool.FULL)

    def renew(self, pages: list[Page], pool: Pool) -> None:
        """What of these pages a device pool holds is the most recently used there."""
        order = self.recency_in[pool]
        for page in pages:
            if page.resident_in[pool]:
                order.move_to_end(page)

    def free(self, pool: Pool) -> int:
        """Free slots of a pool."""
        return self.config.slots(pool) - self.used[pool] * self.config.unit(pool) - self.rows[pool]
