"""The prompts that operations are about, chosen with a view of the model, so that they end where
something is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from radixproof.impl.scope import Scope
from radixproof.model.config import DEVICE, HOST, Config
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.loading import to_load
from radixproof.model.specification.matching import ON_EITHER, match_end
from radixproof.model.specification.trie import Page
from radixproof.properties.generating.preview import preview_match
from radixproof.properties.generating.prompts import Prompts
from radixproof.properties.generating.wide import alphabet

DIFFERENT = 8
"""New tokens of a prompt that may be of any kind; those after them are of the first."""

Below: TypeAlias = Callable[[int], int]
"""A source of choices: a whole number below the one given."""


def digits(number: int) -> Below:
    """Choices hidden in one number."""
    left = number

    def below(limit: int) -> int:
        nonlocal left
        left, digit = divmod(left, limit)
        return digit

    return below


class Keys:
    """Chooses the keys of one history's operations."""

    def __init__(self, config: Config, scope: Scope) -> None:
        self.config = config
        self.prompts = Prompts(config, scope.namespaces, alphabet(config))

    def derived(self, model: Cache, below: Below) -> Key:
        """A prompt made from an earlier one, mostly of whole pages; one in three is the prefix that
        ends where a lock is.
        """
        held = [page for page in model.trie.recency if any(page.holders)]
        if held and not below(3):
            page = held[below(len(held))]
            return (page.node_end() if below(2) else page).key()
        size, bigram = self.config.page_size, self.config.bigram
        longest, most, tokens, _ = self.prompts.alphabet
        base, pages, tail = below(16), below(longest + 4), below(most) * size
        bits = below(len(tokens) ** DIFFERENT)
        ragged = 0 if below(5) else below(size)
        keep = pages * size + bigram if pages <= longest else None
        return self.prompts.derive(base, keep, tail + ragged, bits, below(8))

    def to_fetch(self, model: Cache, below: Below) -> Key:
        """A prompt of which something is missing, mostly; one in three leads to a node that lacks
        something on the host, which what is fetched then fills, or to one where that brings a
        window which begins within a node.
        """
        pools = [pool for pool in HOST if pool in self.config.pools]
        pool, nodes = pools[below(len(pools))], [page for page in model.trie.recency if page.cut]
        ends = [page for page in nodes if self._cuts_a_node(page, model)]
        if not (ends and below(4)):
            ends = [] if below(3) else [page for page in nodes if not page.has(pool)]
        key = ends[below(len(ends))].key() if ends else self.derived(model, below)
        missing = preview_match(model, key).best.end < len(model.trie.units(key))
        if missing or not below(4):
            return key
        return replace(key, tokens=key.tokens + self.config.page_size * (1 + below(2),))

    def _cuts_a_node(self, end: Page, model: Cache) -> bool:
        """Whether what is fetched for a page brings a window that begins within a node."""
        if self.config.window is None:
            return False
        path = end.path()
        missing_from = preview_match(model, end.key()).best.end
        pages = self.config.fetched_window(missing_from, end.end) // self.config.page_size
        return 0 < pages < len(path) and not path[-1 - pages].cut

    def on_host(self, model: Cache, below: Below) -> Key:
        """The prefix of something that can be loaded back, is on its way, or is merely on the host;
        or any prompt.
        """
        choice = below(8)
        ends = loadable(model) if choice < 5 else []
        loading = (
            [page for copy in model.copies.flying if copy.load for page in copy.node]
            if choice < 6
            else []
        )
        pages = (
            ends
            or loading
            or ([page for page in model.trie.recency if _waits_on_host(page)] if choice < 7 else [])
        )
        if not pages:
            return self.derived(model, below)
        deepest = max(pages, key=lambda page: page.end)
        page = pages[below(len(pages))] if below(3) else deepest
        key = (page.node_end() if below(3) else page).key()
        longer = key.tokens + tuple(1 + below(2) for _ in range(self.config.page_size))
        return key if below(2) else replace(key, tokens=longer)


def loadable(model: Cache) -> list[Page]:
    """Node ends down to which a load-back would bring something."""
    if not any(model.trie.host_only):
        return []
    ends = [page for page in model.trie.recency if page.cut]
    paths = [(page, page.path()) for page in ends]
    root, config = model.trie.root(""), model.config
    return [
        page
        for page, path in paths
        if match_end(path, root, config, ON_EITHER) is page and any(to_load(path, config).values())
    ]


def _waits_on_host(page: Page) -> bool:
    return any(
        page.has(host) and not page.has(device) for device, host in zip(DEVICE, HOST, strict=True)
    )
