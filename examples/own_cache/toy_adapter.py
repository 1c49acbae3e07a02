"""The toy cache as radixproof drives it: each method a thin handle on an operation of the cache."""

from collections.abc import Sequence

import radixproof as rp
from toy_cache import Node, ToyCache


class Adapter:
    def __init__(self, config: rp.Config, kind: type[ToyCache] = ToyCache) -> None:
        self.cache = kind(config.page_size, config.device_pages)
        self.kv: dict[int, int] = {}  # stands for the KV itself: what each slot holds

    def match(self, key: rp.Key) -> rp.Lookup:
        node, slots = self.cache.match(key.tokens)
        return rp.Lookup.on_device(slots, node)

    def allocate(self, tokens: int) -> list[int] | None:
        return self.cache.allocate(tokens)

    def available(self, pool: rp.Pool) -> int:
        return len(self.cache.free)

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self.kv.update(zip(slots, tags, strict=True))

    def read(self, pool: rp.Pool, slots: Sequence[int]) -> list[int]:
        return [self.kv.get(slot, -1) for slot in slots]

    def free(self, slots: Sequence[int]) -> None:
        self.cache.release(slots)

    def insert(self, key: rp.Key, slots: Sequence[int], owned: int, *_: object) -> rp.Insertion:
        return rp.Insertion(self.cache.insert(key.tokens, slots, owned))

    def lock(self, anchor: Node) -> Node:
        return self.cache.lock(anchor)

    def unlock(self, receipt: Node) -> None:
        self.cache.unlock(receipt)

    def evict(self, full: int, *_: object) -> tuple[int, int, int]:
        return self.cache.evict(full), 0, 0

    def reset(self) -> None:
        self.cache.reset()

    def observe(self, whole: bool) -> rp.Observation:
        cache, nodes, ages = self.cache, [], {}
        for node in cache.nodes():
            above = node.parent.id if node.parent else 0
            nodes.append(rp.NodeView.full(node.id, above, node.tokens, node.slots, node.locks))
            ages[node.id] = node.used
        return rp.Observation.full(nodes, cache.free, cache.evictable, cache.protected, ages)


SIGHT = rp.Sight.full(locks=True, free=True, sizes=True, ages=True)
target = rp.Target("toy", "a toy radix cache", rp.Dialect(), Adapter, rp.ONE_TIER, SIGHT)
