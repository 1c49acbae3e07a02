"""A radix cache spoken to in strings, one letter per token, whose copies run when they are told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.impl.observation import NodeView, Observation
from radixproof.impl.radix_adapter.target import target
from radixproof.model.config import POOLS, Component, Config, Pool
from radixproof.model.key import Key

SIZES = {"device_pages": 20, "host_pages": 20}
SWA_SIZES = {"swa_pages": 20, "swa_host_pages": 20}
MAMBA_SIZES = {"mamba_states": 6, "mamba_host_states": 6}


class Bench:
    """The content of a slot is named by the position and the letter it was computed for; of a state, by those of its end."""

    def __init__(self, mamba: bool = False, **options: Any) -> None:
        sizes = SIZES | (SWA_SIZES if "window" in options else {}) | (MAMBA_SIZES if mamba else {})
        self.config = Config(**(sizes | options))
        self.system = target().build(self.config)

    @staticmethod
    def key(text: str) -> Key:
        return Key(tuple(map(ord, text)))

    def put(self, text: str, evicted: int = 0, state: bool = False, priority: int = 0) -> Any:
        """Compute and insert a prompt. Content of a slot that the tree does not take is gone, and so is the slot.

        Returns the node on which the prompt ends.
        """
        slots = self.system.allocate(len(text))
        assert slots is not None
        self.system.write(slots, tags(text))
        self.system.free_swa(slots[:evicted])
        given = self.system.allocate_state() if state else None
        if given is not None:
            self.system.write_state(given, tags(text)[-1])
        found = self.system.insert(self.key(text), slots, 0, evicted, given, priority)
        if not found.taken and given is not None:
            self.system.free_state(given)
        return found.anchor

    def match(self, text: str) -> tuple[int, int]:
        return self.system.match(self.key(text))[:2]

    def load(self, text: str, quota: int | None = None) -> int:
        return self.system.load_back(self.system.match(self.key(text)).best_anchor, quota)

    def fetch(self, text: str, start: int = 0) -> int:
        """What a storage prefetch does with the part of a prompt from ``start`` on; returns the tokens kept."""
        slots = self.system.allocate_host(len(text) - start)
        assert slots is not None
        self.system.write_host(slots, tags(text)[start:])
        return self.system.insert_host(self.key(text), slots, start)

    def settle(self) -> None:
        """Acknowledge everything in flight."""
        self.system.writing_check(blocking=True)
        self.system.loading_check(blocking=True)

    def demote(self, text: str) -> None:
        """Back a prompt up, take everything unlocked off the device, and overwrite what was there."""
        self.put(text, state=self.config.mamba_states > 0)
        self.settle()
        self.system.evict(self.config.device_pages, self.config.swa_pages, self.config.mamba_states)
        whole = self.see().whole
        assert whole is not None
        for pool, memory in self.system.cache.memory.pools.items():
            memory.kv[:, :, list(whole.free[pool])] = -1

    def see(self) -> Observation:
        return self.system.observe(whole=True)

    def nodes(self) -> dict[str, NodeView]:
        """Nodes by the text from the root to their end."""
        texts = {0: ""}
        found = {}
        for node in self.see().nodes:
            texts[node.id] = texts[node.parent] + "".join(map(chr, node.segment))
            found[texts[node.id]] = node
        return found

    def locked_in(self, pool: Pool) -> set[str]:
        """The nodes that have something in a pool."""
        return {text for text, node in self.nodes().items() if node.slots[pool] is not None}

    def order(self, which: int) -> list[str]:
        """The nodes of one of the orders of use, as `Whole.lru_lists` has them, oldest first."""
        texts = {node.id: text for text, node in self.nodes().items()}
        return [texts[node] for node in self.see().whole.lru_lists[which]]

    def wrong(self) -> set[tuple[str, Pool]]:
        """Where the content is not what it should be: nodes and pools."""
        found = set()
        for text, node in self.nodes().items():
            for pool in POOLS:
                slots = node.slots[pool]
                length = 1 if pool.component is Component.MAMBA else len(node.segment)
                if slots is not None and self.system.read(pool, slots) != tags(text)[-length:]:
                    found.add((text, pool))
        return found

    def marked(self) -> tuple[set[str], set[str]]:
        """The nodes with a backup in flight, and those with a load-back."""
        nodes = self.nodes().items()
        return {text for text, node in nodes if node.pending}, {
            text for text, node in nodes if node.loading
        }

    def state(self) -> tuple[Any, ...]:
        """All that a refusal must leave as it was."""
        seen = self.see()
        return seen.nodes, seen.free, seen.evictable, seen.protected

    def protected(self) -> tuple[int, int, int]:
        return self.see().protected


def tags(text: str) -> list[int]:
    return [1000 * at + ord(letter) for at, letter in enumerate(text)]


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Builds caches of given `Config` options, with room for everything unless said otherwise."""
    return Bench
