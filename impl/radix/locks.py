"""Device locks: who keeps what from being evicted."""

from __future__ import annotations

from dataclasses import dataclass

from radixproof.impl.radix.node import Node
from radixproof.impl.radix.tree import Tree
from radixproof.model.config import Component


class ReceiptError(RuntimeError):
    """A receipt that was given back already, that outlived its tree, or whose locks are gone."""


@dataclass(slots=True, eq=False)
class Receipt:
    """What a lock hands out and `Locks.unlock` wants back, once.

    ``boundary`` identifies the node at which the SWA coverage was complete, or None if it reached up to the root. It is an object
    that the node holds and that moves to the upper half when the node is split; receipts ending at the same node share it.
    """

    anchor: Node
    boundary: object | None = None
    spent: bool = False


class Locks:
    """Locks paths of a tree. FULL is locked from the anchor to the root, SWA as far up as a window reaches (semantics 6).

    Every node on the way counts, whether it has the component or not: so unlocking walks the same nodes whatever came, went or was
    split in between, and a value that appears under a lock is protected.
    """

    def __init__(self, tree: Tree, window: int | None) -> None:
        self._tree = tree
        self._window = window

    def lock(self, anchor: Node) -> Receipt:
        """Lock the path to ``anchor``; at the root there is nothing to lock. Raises `ReceiptError` if it has left the tree."""
        if anchor.parent is None and anchor is not self._tree.root:
            raise ReceiptError(f"cannot lock {anchor}: it is not in the tree")
        receipt = Receipt(anchor)
        missing = self._window or 0
        node = anchor
        while node.parent is not None:
            self._tree.hold(node, Component.FULL)
            if missing > 0:
                self._tree.hold(node, Component.SWA)
                missing -= len(node.segment)
                if missing <= 0:
                    node.boundary = receipt.boundary = node.boundary or object()
            node = node.parent
        return receipt

    def unlock(self, receipt: Receipt) -> None:
        """Undo a `lock`. Raises `ReceiptError`, and changes nothing, for a receipt that does not hold what it should."""
        anchor = receipt.anchor
        if receipt.spent:
            raise ReceiptError(f"receipt for {anchor} was given back before")
        if anchor.parent is None and anchor is not self._tree.root:
            raise ReceiptError(f"receipt for {anchor}, which is not in the tree")
        held = self._held(receipt)
        for node, component in held:
            if not node.states[component].locks:
                raise ReceiptError(f"receipt for {anchor}: {component.name} of {node} is not locked")
        for node, component in held:
            self._tree.release(node, component)
        receipt.spent = True

    def _held(self, receipt: Receipt) -> list[tuple[Node, Component]]:
        held: list[tuple[Node, Component]] = []
        windowed = self._window is not None
        node = receipt.anchor
        while node.parent is not None:
            held.append((node, Component.FULL))
            if windowed:
                held.append((node, Component.SWA))
                windowed = receipt.boundary is None or node.boundary is not receipt.boundary
            node = node.parent
        return held
