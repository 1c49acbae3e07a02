"""The state of the specification: a trie with one entry per page.

A radix tree compresses runs of pages into nodes, and most bugs live in that compression. So the specification does not compress:
each page records for itself on which tiers it is and who holds it, and a node boundary is just a mark on a page, the *cut*.
Splitting a node sets a cut and changes nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from radixproof.model.config import POOLS, Component, Config, Pool
from radixproof.model.operations import Key


@dataclass(slots=True, eq=False)
class Page:
    """One page of one prefix. A page without parent is the root of its namespace and holds nothing."""

    tokens: tuple[int, ...]
    parent: Page | None
    end: int
    """Tokens from the root through this page."""
    namespace: str = ""
    children: dict[tuple[int, ...], Page] = field(default_factory=dict)
    cut: bool = False
    """A node ends with this page."""
    held_in: list[bool] = field(default_factory=lambda: [False] * len(POOLS))
    """Per `Pool`: the pool holds this page's state. Read through `has`."""
    holders: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    """Per `Component`: names of the receipts and backups that lock this page."""
    hits: int = 0
    owed: bool = False
    """Past its threshold while the host had room, and still not backed up."""

    def has(self, pool: Pool) -> bool:
        return self.held_in[pool]

    @property
    def host_only(self) -> bool:
        return self.held_in[Pool.FULL_HOST] and not self.held_in[Pool.FULL]

    def held(self, component: Component) -> bool:
        return bool(self.holders[component])

    @property
    def locked(self) -> bool:
        return bool(self.holders[0]) or bool(self.holders[1])

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
        return Key(tuple(token for page in self.path() for token in page.tokens), self.namespace)


def spell(pages: Sequence[Page]) -> str:
    """The tokens of a run of pages, with namespace and the prefix they hang under: ``a:[1 2 | 3 4]``."""
    above = pages[0].parent
    head = " ".join(map(str, above.key().tokens)) if above is not None else ""
    tail = " ".join(str(token) for page in pages for token in page.tokens)
    namespace = f"{pages[0].namespace}:" if pages[0].namespace else ""
    return f"{namespace}[{head} | {tail}]" if head else f"{namespace}[{tail}]"


class Trie:
    """Pages by prefix, what each pool holds, and the order in which pages were last used."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.roots: dict[str, Page] = {}
        self.used = [0] * len(POOLS)
        """Pages held, per `Pool`."""
        self.totals = [config.slots(pool) for pool in POOLS]
        """Slots, per `Pool`."""
        self.host_only = 0
        self.order: OrderedDict[Page, None] = OrderedDict()
        """All pages, least recently used first."""
        self.device_order: OrderedDict[Page, None] = OrderedDict()
        """The pages of `order` that are on device, in the same order."""
        self.swa_order: OrderedDict[Page, None] = OrderedDict()
        """Pages with SWA state on device, least recently used first: a recency of its own (semantics 3.5)."""
        self.changed: dict[Page, None] = {}
        """Pages whose state changed since this was last emptied."""

    def root(self, namespace: str) -> Page:
        if namespace not in self.roots:
            self.roots[namespace] = Page((), None, 0, namespace, cut=True)
        return self.roots[namespace]

    def pages_of(self, key: Key) -> list[tuple[int, ...]]:
        """The key floored to whole pages, page by page (semantics 2.3)."""
        size, tokens = self.config.page_size, key.tokens
        return [tokens[start : start + size] for start in range(0, self.config.floor(len(tokens)), size)]

    def walk(self, key: Key) -> list[Page]:
        """The longest path of pages that are in the trie and spell a prefix of ``key``."""
        page, size, tokens = self.root(key.namespace), self.config.page_size, key.tokens
        path: list[Page] = []
        for end in range(size, len(tokens) + 1, size):
            child = page.children.get(tokens[end - size : end])
            if child is None:
                break
            path.append(child)
            page = child
        return path

    def child(self, page: Page, tokens: tuple[int, ...]) -> Page:
        """The page below ``page``, made if it is not there; a new page holds nothing yet."""
        if tokens not in page.children:
            page.children[tokens] = Page(tokens, page, page.end + len(tokens), page.namespace)
        return page.children[tokens]

    def extend(self, key: Key) -> list[Page]:
        """The whole path of ``key``, made where it is missing; new pages hold nothing, and have not been used, yet."""
        page = self.root(key.namespace)
        path: list[Page] = []
        for tokens in self.pages_of(key):
            page = self.child(page, tokens)
            path.append(page)
        return path

    def put(self, page: Page, pool: Pool) -> None:
        """``pool`` holds the page now."""
        if page.held_in[pool]:
            return
        page.held_in[pool] = True
        self._count(page, pool, +1)
        if pool is Pool.FULL:
            self.device_order[page] = None
        elif pool is Pool.SWA:
            self.swa_order[page] = None

    def drop(self, page: Page, pool: Pool) -> None:
        """``pool`` holds the page no longer."""
        if not page.held_in[pool]:
            return
        page.held_in[pool] = False
        self._count(page, pool, -1)
        if pool is Pool.FULL:
            del self.device_order[page]
        elif pool is Pool.SWA:
            del self.swa_order[page]

    def _count(self, page: Page, pool: Pool, by: int) -> None:
        self.changed[page] = None
        self.used[pool] += by
        if pool is Pool.FULL_HOST and not page.held_in[Pool.FULL]:
            self.host_only += by
        elif pool is Pool.FULL and page.held_in[Pool.FULL_HOST]:
            self.host_only -= by

    def remove(self, page: Page) -> None:
        """Take a page that has no children out of the trie, from every pool."""
        assert page.parent is not None
        assert not page.children
        for pool in POOLS:
            self.drop(page, pool)
        self.changed[page] = None
        self.order.pop(page, None)
        del page.parent.children[page.tokens]

    def delete(self, node: list[Page]) -> None:
        """Take the pages of a node out of the trie, and with them whatever hangs below on the host (semantics 7.4)."""
        doomed = [node[0]]
        for page in doomed:
            doomed += page.children.values()
        for page in reversed(doomed):
            self.remove(page)

    def touch(self, pages: list[Page]) -> None:
        """These pages, top first, are the most recently used: the last is the newest (semantics 3.5)."""
        for page in pages:
            self.order[page] = None
            self.order.move_to_end(page)
            if page.held_in[Pool.FULL]:
                self.device_order.move_to_end(page)

    def touch_swa(self, pages: list[Page]) -> None:
        for page in pages:
            if page.held_in[Pool.SWA]:
                self.swa_order.move_to_end(page)

    def free(self, pool: Pool) -> int:
        """Free slots of a pool."""
        return self.totals[pool] - self.used[pool] * self.config.page_size
