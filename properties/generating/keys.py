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
        base, pages, tail = below(12), below(longest + 4), below(most) * size
        bits = below(len(tokens) ** DIFFERENT)
        ragged = 0 if below(5) else below(size)
        keep = pages * size + bigram if pages <= longest else None
        return self.prompts.derive(base, keep, tail + ragged, bits, below(8))

    def to_fetch(self, model: Cache, below: Below) -> Key:
        """A prompt; one in three ends with a node that lacks a window or a state on the host, or a
        page behind it, so that what is fetched fills what is there.
        """
        pools = [pool for pool in HOST[1:] if pool in self.config.pools]
        if not pools or below(3):
            return self.derived(model, below)
        pool = pools[below(len(pools))]
        lacking = [page for page in model.trie.recency if page.cut and not page.has(pool)]
        if not lacking:
            return self.derived(model, below)
        key = lacking[below(len(lacking))].key()
        return replace(key, tokens=key.tokens + self.config.page_size * (1,) * below(2))

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
