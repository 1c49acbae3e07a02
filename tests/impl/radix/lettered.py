"""A radix cache spoken to in strings, one letter per token, whose copies run when told to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from radixproof.impl.observation import NodeView, Observation, PerComponent, PerPool, Whole
from radixproof.impl.radix.node import Node
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.system import Fetched, Insertion
from radixproof.model.config import POOLS, Component, Config, Pool
from radixproof.model.key import Key

T = TypeVar("T")

NEVER = 99
"""A threshold that keeps backups out of a test."""

SWA_DEVICE, MAMBA_DEVICE, SWA_HOST, MAMBA_HOST = range(4)
"""Orders of use, as `Whole.lru_lists` has them."""

SIZES = {"device_pages": 20, "host_pages": 20}
SWA_SIZES = {"swa_pages": 20, "swa_host_pages": 20}
MAMBA_SIZES = {"mamba_states": 6, "mamba_host_states": 6}


def key(text: str, namespace: str = "") -> Key:
    return Key(tuple(map(ord, text)), namespace)


def tags(text: str) -> list[int]:
    """Names of the content of slots: the position and the letter they were computed for."""
    return [1000 * at + ord(letter) for at, letter in enumerate(text)]


def shown(value: T | None) -> T:
    """What a system may hide, and ours shows."""
    assert value is not None
    return value


class Cache:
    """A cache of given `Config` options, with room for everything unless they say otherwise.

    The content of a slot is named by the position and the letter it was computed for; of a state,
    by those of its end.
    """

    def __init__(self, mamba: bool = False, **options: Any) -> None:
        sizes = SIZES | (SWA_SIZES if "window" in options else {}) | (MAMBA_SIZES if mamba else {})
        self.config = Config(**(sizes | options))
        self.system = RadixSystem(self.config, "cpu")

    # What requests do

    def put(
        self,
        text: str,
        evicted: int = 0,
        reuse: bool = False,
        state: bool = False,
        priority: int = 0,
        namespace: str = "",
        inserted: int = 0,
    ) -> Insertion:
        """Allocate, compute, slide the window and insert; with ``reuse``, after a match.

        A slot or a state that the tree does not take is freed.
        """
        prompt, content = key(text, namespace), tags(text)
        held = self.system.match(prompt).slots if reuse else []
        fresh = self.system.allocate(self.config.floor(len(text)) - len(held))
        assert fresh is not None
        self.system.write(fresh, content[len(held) : len(held) + len(fresh)])
        self.system.free_swa(fresh[: max(0, evicted - len(held))])
        given = self.system.allocate_state() if state else None
        if given is not None:
            self.system.write_state(given, content[-1])
        found = self.system.insert(
            prompt, held + fresh, len(held), evicted, given, priority, inserted
        )
        if not found.taken and given is not None:
            self.system.free_state(given)
        return found

    def match(self, text: str, namespace: str = "") -> tuple[int, int]:
        """What is found on the device, and on either tier."""
        found = self.system.match(key(text, namespace))
        if not any(node.loading for node in _path(found.anchor)):
            assert self.system.read(Pool.FULL, found.slots) == tags(text)[: found.device]
        return found.device, found.best

    def anchor(self, text: str) -> Any:
        """The node on which the prefix on the device ends."""
        return self.system.match(key(text)).anchor

    def best(self, text: str) -> Any:
        """The node on which the prefix on either tier ends."""
        return self.system.match(key(text)).best_anchor

    def lock(self, text: str) -> Any:
        return self.system.lock(self.anchor(text))

    def lock_host(self, text: str) -> Any:
        return self.system.lock_host(self.best(text))

    def load(self, text: str, quota: int | None = None) -> int:
        return self.system.load_back(self.best(text), quota)

    def fetch(self, text: str, start: int = 0, window: int = 0, state: bool = False) -> int:
        """What a storage prefetch does with a prompt from ``start`` on, and with so many tokens of
        its window; returns what is kept.
        """
        counts = {Pool.FULL_HOST: len(text) - start, Pool.SWA_HOST: window, Pool.MAMBA_HOST: state}
        slots: dict[Pool, list[int]] = {}
        for pool, count in counts.items():
            some = self.system.allocate_host(pool, int(count)) if count else []
            assert some is not None
            slots[pool] = some
            if some:
                self.system.write_host(pool, some, tags(text)[-len(some) :])
        full, swa, mamba = slots.values()
        return self.system.insert_host(
            key(text), Fetched(full, swa, mamba[0] if mamba else None), start
        )

    def settle(self) -> None:
        """Acknowledge everything in flight."""
        self.system.writing_check(blocking=True)
        self.system.loading_check(blocking=True)

    def demote(self, text: str) -> None:
        """Back a prompt up, take all unlocked off the device, and overwrite what was there."""
        self.put(text, state=self.config.mamba_states > 0)
        self.settle()
        self.system.evict(self.config.device_pages, self.config.swa_pages, self.config.mamba_states)
        free = shown(self.whole().free)
        for pool, memory in self.system.pools.items():
            memory.kv[:, :, list(free[pool] or ())] = -1

    # What can be seen

    def see(self) -> Observation:
        return self.system.observe(whole=True)

    def whole(self) -> Whole:
        return shown(self.see().whole)

    def free(self) -> PerPool:
        """How many slots are free in each pool."""
        return shown(self.see().free)

    def nodes(self) -> dict[str, NodeView]:
        """Nodes by the text from the root to their end."""
        texts = {0: ""}
        found = {}
        for node in self.see().nodes:
            text = "".join(chr(unit) for unit in node.segment if isinstance(unit, int))
            texts[node.id] = texts[node.parent] + text
            found[texts[node.id]] = node
        return found

    def resident_in(self, pool: Pool) -> set[str]:
        """The nodes that have something in a pool."""
        return {text for text, node in self.nodes().items() if node.slots[pool] is not None}

    def locks(self, component: Component) -> dict[str, int]:
        return {text: shown(node.locks)[component] for text, node in self.nodes().items()}

    def order(self, which: int) -> list[str]:
        """One of the orders of use, oldest first."""
        texts = {node.id: text for text, node in self.nodes().items()}
        return [texts[node] for node in shown(self.whole().lru_lists)[which] or ()]

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

    def protected(self) -> PerComponent:
        return shown(self.see().protected)


def _path(node: Node) -> Iterable[Node]:
    while node.parent is not None:
        yield node
        node = node.parent
