"""Bugs in backing nodes up to the host."""

from __future__ import annotations

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.cache import RadixCache
from radixproof.impl.radix.node import Node
from radixproof.model.verdict import Property


@fault(
    "B01, SGLang pull request 25065",
    "a leaf cut at the SWA boundary is not backed up because its new parent is not, and is lost at eviction",
    Property.PROGRESS,
)
def split_parent_not_backed_up(cache: RadixCache) -> None:
    backups = cache.backups
    count, start = backups.hit, backups.back_up

    def hit(node: Node) -> None:
        below_boundary = node.children and not node.hits and node.swa.device is None
        if not below_boundary:  # the hit on a new leaf goes to the piece that kept its window
            count(node)

    def back_up(node: Node) -> bool:
        assert node.parent is not None
        return (node.parent.is_root or node.parent.backed) and start(node)

    backups.hit = hit  # type: ignore[method-assign]
    backups.back_up = back_up  # type: ignore[method-assign]
