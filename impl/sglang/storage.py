"""What a prefetch from storage does to the tree: it takes slots on the host, and hands over KV of
FULL that was fetched to them.

The threads that fetch are not there: slots are filled when the harness says that it has come.
The storage is there as what it has under each name: the page that was put there first. SGLang hands
over windows and states beside FULL, which this does not.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.hashes import page_names
from radixproof.impl.sglang.memory.content import Content
from radixproof.impl.sglang.parts import Parts
from radixproof.model.config import Component, Config
from radixproof.model.key import Key


class Storage:
    """The tier below the host of one cache, as far as the tree hears of it."""

    def __init__(self, sglang: Sglang, parts: Parts, content: Content, config: Config) -> None:
        self._sglang = sglang
        self._tree, self._content, self._config = parts.tree, content, config
        self._pool = parts.host.pools.get(Component.FULL)
        self._stored: dict[str, list[int]] = {}
        """By name: the content of a page."""
        self._wanted: dict[int, int] = {}
        """By slot: what was asked for, until it is handed over."""

    def allocate(self, tokens: int) -> list[int] | None:
        assert self._pool is not None, "there is no host tier"
        slots = self._pool.alloc(tokens)
        return None if slots is None else list(slots.tolist())

    def free(self, slots: Sequence[int]) -> None:
        assert self._pool is not None, "there is no host tier"
        self._pool.free(self._sglang.torch.tensor(slots))

    def fill(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._wanted = dict(zip(slots, tags, strict=True))

    def hand_over(self, anchor: Any, key: Key, slots: Sequence[int], start: int) -> int:
        """What follows ``start`` is inserted below the node of a match; returns what is kept. The
        rest is freed, as SGLang does then.
        """
        assert self._pool is not None, "there is no host tier"
        index = self._sglang.torch.tensor(slots)
        names = self._names(key)[start // self._config.page_size :]
        self._fetch(slots, names)
        fetched = self._key(key, start, len(slots))
        if self._sglang.capabilities.tree_core:
            done = self._tree.tree_core.insert_host(anchor, fetched, index, names)
            self._tree._apply_cache_actions(done.cache_actions)
            dropped = done.host_insert_dropped
        else:
            done = self._tree._insert_helper_host(anchor, fetched, index, names)
            dropped = False
        there = len(slots) if dropped else int(done.prefix_len)
        if there:
            self._pool.free(index[:there])
        return len(slots) - there

    def _fetch(self, slots: Sequence[int], names: Sequence[str]) -> None:
        """What a page gets is what there is under its name."""
        size = self._config.page_size
        for at, name in enumerate(names):
            page = slots[at * size : (at + 1) * size]
            wanted = [self._wanted[slot] for slot in page]
            self._content.write_host(page, self._stored.setdefault(name, wanted))

    def _key(self, key: Key, start: int, units: int) -> Any:
        """So many units of a key, in SGLang's form: no method of the tree makes pairs of it."""
        tokens = array("q", key.tokens[start:])
        made = self._sglang.radix_key(tokens, key.namespace or None, self._config.bigram)
        return made[:units]

    def _names(self, key: Key) -> list[str]:
        """What SGLang calls the whole pages of a key in storage."""
        bigram = self._config.bigram
        length = self._config.floor(len(key.units(bigram)))
        seed = self._sglang.namespace_seed(key.namespace or None, None)
        prior = bytes.fromhex(seed) if seed else None
        return page_names(key.tokens, length, bigram, self._config.page_size, prior=prior)
