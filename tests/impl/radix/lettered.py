"""A radix cache spoken to in strings: keys of one letter per token."""

from __future__ import annotations

from typing import Any

from radixproof.impl.observation import NodeView, Observation, Whole
from radixproof.impl.radix_adapter.target import target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key

NEVER = 99
"""A threshold that keeps backups out of a test."""

SWA_DEVICE, MAMBA_DEVICE, SWA_HOST, MAMBA_HOST = range(4)
"""Orders of use, as `Whole.lru_lists` has them."""


class Cache:
    """A system, spoken to in strings."""

    def __init__(
        self, threshold: int = NEVER, window: int | None = None, page_size: int = 1, **options: int
    ) -> None:
        sizes = {"device_pages": 20, "host_pages": 20}
        if window is not None:
            sizes |= {"swa_pages": 20, "swa_host_pages": 20}
        self.config = Config(
            page_size=page_size, window=window, threshold=threshold, **(sizes | options)
        )
        self.system = target().build(self.config)

    def put(self, text: str, evicted: int = 0, reuse: bool = False, namespace: str = "") -> int:
        """What a request does: allocate, compute, slide the window, insert. Content of a slot: the position and its letter."""
        key = Key(tuple(map(ord, text)), namespace)
        held = self.system.match(key).slots if reuse else []
        fresh = self.system.allocate(self.config.floor(len(text)) - len(held))
        assert fresh is not None
        self.system.write(
            fresh, [1000 * at + ord(text[at]) for at in range(len(held), len(held) + len(fresh))]
        )
        self.system.free_swa(fresh[: max(0, evicted - len(held))])
        return self.system.insert(key, held + fresh, len(held), evicted).reused

    def match(self, text: str, namespace: str = "") -> tuple[int, int]:
        found = self.system.match(Key(tuple(map(ord, text)), namespace))
        expected = [1000 * at + ord(text[at]) for at in range(found.device)]
        assert self.system.read(Pool.FULL, found.slots) == expected
        return found.device, found.best

    def lock(self, text: str) -> Any:
        return self.system.lock(self.system.match(Key(tuple(map(ord, text)))).anchor)

    def see(self) -> Observation:
        return self.system.observe(whole=True)

    def whole(self) -> Whole:
        whole = self.see().whole
        assert whole is not None
        return whole

    def nodes(self) -> dict[str, NodeView]:
        """Nodes by the text from the root to their end, in default namespace."""
        texts = {0: ""}
        found = {}
        for node in self.see().nodes:
            texts[node.id] = texts[node.parent] + "".join(map(chr, node.segment))
            found[texts[node.id]] = node
        return found

    def locked_in(self, pool: Pool) -> set[str]:
        """The nodes that have something in a pool."""
        return {text for text, node in self.nodes().items() if node.slots[pool] is not None}

    def locks(self, component: Component) -> dict[str, int]:
        return {text: node.locks[component] for text, node in self.nodes().items()}

    def order(self, which: int) -> list[str]:
        """One of the orders of use, as texts, oldest first."""
        texts = {node.id: text for text, node in self.nodes().items()}
        return [texts[node] for node in self.whole().lru_lists[which] or ()]

    def settle(self) -> None:
        self.system.writing_check(blocking=True)
