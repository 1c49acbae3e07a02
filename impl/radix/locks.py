"""Locks: who keeps what from being evicted, on the device and on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from radixproof.impl.radix.config import CacheConfig, Component
from radixproof.impl.radix.node import Edge, Node
from radixproof.impl.radix.tree import Tree
from radixproof.impl.radix.window import window_of

Held: TypeAlias = list[tuple[Node, Component]]


class ReceiptError(RuntimeError):
    """A receipt that was given back already, that outlived its tree, or whose locks are gone."""


@dataclass(slots=True, eq=False)
class Receipt:
    """What `Locks.lock` returns and `Locks.unlock` takes back, once.

    ``edge`` identifies the node at which the SWA coverage was complete, or None if it reached up to
    the root. It is an object that the node holds and that moves to the upper half when the node is
    split; receipts ending at the same node share it.
    """

    anchor: Node
    edge: object | None = None
    released: bool = False
    """Whether the SWA and MAMBA part was given back early."""
    spent: bool = False


@dataclass(slots=True, eq=False)
class HostReceipt:
    """What `Locks.lock_host` returns and `Locks.unlock_host` takes back, once.

    Edges as in `Receipt`, of FULL and of SWA.
    """

    anchor: Node
    full_edge: object | None = None
    window_edge: object | None = None
    spent: bool = False


class Locks:
    """Locks paths of a tree (semantics 6).

    On the device, FULL is locked from the anchor to the root, SWA as far up as a window reaches,
    MAMBA at the anchor. On the host, where only leaves go whole, FULL is locked at the anchor, too.

    Every node on the way counts, whether it has the component or not: so unlocking walks the same
    nodes whatever came, went or was split in between, and a value that appears under a lock is
    protected. Locking a root locks nothing.
    """

    def __init__(self, tree: Tree, config: CacheConfig) -> None:
        self._tree = tree
        self._window = config.window or 0
        self._mamba = config.stateful

    def lock(self, anchor: Node) -> Receipt:
        """Lock the path to ``anchor`` on the device.

        Raises `ReceiptError` if it has left the tree.
        """
        self._check_place(anchor)
        tree = self._tree
        for node in _path(anchor):
            tree.hold(node, Component.FULL)
        receipt = Receipt(anchor, self._lock_window(anchor, tree.hold, Edge.WINDOW))
        if self._mamba and not anchor.is_root:
            tree.hold(anchor, Component.MAMBA)
        return receipt

    def unlock(self, receipt: Receipt) -> None:
        """Undo a `lock`.

        Raises `ReceiptError`, and changes nothing, for a receipt that does not hold what it should.
        """
        self._check_receipt(receipt)
        held = [(node, Component.FULL) for node in _path(receipt.anchor)]
        if not receipt.released:
            held += self._windowed(receipt)
        self._release(receipt, held)
        receipt.spent = True

    def release_window(self, receipt: Receipt) -> list[Node]:
        """Undo the SWA and MAMBA part of a `lock`, at most once.

        Returns the nodes whose SWA it covered, the anchor first. Raises `ReceiptError`, and changes
        nothing, for a receipt that does not hold what it should.
        """
        self._check_receipt(receipt)
        if receipt.released:
            raise ReceiptError(f"receipt for {receipt.anchor}: its window was released before")
        held = self._windowed(receipt)
        self._release(receipt, held)
        receipt.released = True
        return [node for node, component in held if component is Component.SWA]

    def lock_host(self, anchor: Node) -> HostReceipt:
        """Keep the host copies that a prefix ending at ``anchor`` uses last.

        Raises `ReceiptError` if it has left the tree.
        """
        self._check_place(anchor)
        tree = self._tree
        receipt = HostReceipt(
            anchor, window_edge=self._lock_window(anchor, tree.hold_host, Edge.HOST_WINDOW)
        )
        if not anchor.is_root:
            tree.hold_host(anchor, Component.FULL)
            receipt.full_edge = _mark(anchor, Edge.HOST_FULL)
            if self._mamba:
                tree.hold_host(anchor, Component.MAMBA)
        return receipt

    def unlock_host(self, receipt: HostReceipt) -> None:
        """Undo a `lock_host`.

        Raises `ReceiptError`, and changes nothing, for a receipt that does not hold what it should.
        """
        self._check_receipt(receipt)
        anchor = receipt.anchor
        held: Held = [
            (node, Component.FULL) for node in _path(anchor, Edge.HOST_FULL, receipt.full_edge)
        ]
        if self._window:
            held += [
                (node, Component.SWA)
                for node in _path(anchor, Edge.HOST_WINDOW, receipt.window_edge)
            ]
        if self._mamba and not anchor.is_root:
            held.append((anchor, Component.MAMBA))
        for node, component in held:
            if not node.states[component].host_locks:
                raise ReceiptError(
                    f"receipt for {anchor}: {component.name} of {node} is not locked on the host"
                )
        for node, component in held:
            self._tree.release_host(node, component)
        receipt.spent = True

    @staticmethod
    def pinned_by(node: Node) -> int:
        """FULL tokens on the device that a lock of ``node`` would cover and no lock covers yet."""
        unlocked = (step.full for step in _path(node) if not step.full.locks)
        return sum(len(full.device) for full in unlocked if full.device is not None)

    def _lock_window(
        self, anchor: Node, hold: Callable[[Node, Component], None], edge: Edge
    ) -> object | None:
        """Lock SWA for one window up from ``anchor``; returns the mark of where it is complete."""
        mark = None
        reach = anchor.end - self._window
        for node in window_of(anchor, self._window):
            hold(node, Component.SWA)
            if node.start <= reach:
                mark = _mark(node, edge)
        return mark

    def _windowed(self, receipt: Receipt) -> Held:
        """What a receipt holds besides FULL, unless it was released."""
        held: Held = []
        if self._window:
            held += [
                (node, Component.SWA) for node in _path(receipt.anchor, Edge.WINDOW, receipt.edge)
            ]
        if self._mamba and not receipt.anchor.is_root:
            held.append((receipt.anchor, Component.MAMBA))
        return held

    def _release(self, receipt: Receipt, held: Held) -> None:
        for node, component in held:
            if not node.states[component].locks:
                raise ReceiptError(
                    f"receipt for {receipt.anchor}: {component.name} of {node} is not locked"
                )
        for node, component in held:
            self._tree.release(node, component)

    def _check_place(self, anchor: Node) -> None:
        if anchor.parent is None and anchor is not self._tree.root:
            raise ReceiptError(f"cannot lock {anchor}: it is not in the tree")

    def _check_receipt(self, receipt: Receipt | HostReceipt) -> None:
        if receipt.spent:
            raise ReceiptError(f"receipt for {receipt.anchor} was given back before")
        if receipt.anchor.parent is None and receipt.anchor is not self._tree.root:
            raise ReceiptError(f"receipt for {receipt.anchor}, which is not in the tree")


def _mark(node: Node, edge: Edge) -> object:
    """The identity that locks ending at ``node`` share."""
    mark = node.edges[edge] = node.edges[edge] or object()
    return mark


def _path(node: Node, edge: Edge | None = None, mark: object | None = None) -> Iterator[Node]:
    """The nodes from ``node`` up to the one with ``mark`` as its ``edge``, or to the topmost."""
    while node.parent is not None:
        yield node
        if edge is not None and mark is not None and node.edges[edge] is mark:
            return
        node = node.parent
