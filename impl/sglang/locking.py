"""Locks of requests, as a release has them: what a request keeps, and how it gives locks back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from radixproof.impl.sglang.api import Sglang


class Locks(Protocol):
    """Locks of device nodes. A receipt is what a request keeps until it gives its lock back."""

    def lock(self, node: Any) -> Any: ...

    def unlock(self, receipt: Any) -> None: ...

    def release_window(self, receipt: Any) -> None:
        """Give the SWA part back, once."""


def of(sglang: Sglang, tree: Any) -> Locks:
    """The way of a release."""
    if sglang.capabilities.tree_locks:
        return TreeLocks(tree)
    if sglang.capabilities.release_by_receipt:
        return Receipts(tree)
    if sglang.capabilities.skips_remembered:
        return SkippingReceipts(tree)
    return ForgetfulReceipts(tree)


class TreeLocks:
    """A lock is an object of SGLang's, which knows what of it was given back."""

    def __init__(self, tree: Any) -> None:
        self.lock, self.unlock, self.release_window = tree.lock, tree.unlock, tree.release_swa


@dataclass(slots=True)
class Receipt:
    """A locked node with the parameters that its unlock wants."""

    node: Any
    params: Any
    window_released: bool = False


class Receipts:
    """A request keeps what its unlock wants, and must say which part it gave back before."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree

    def lock(self, node: Any) -> Receipt:
        return Receipt(node, self._tree.inc_lock_ref(node).to_dec_params())

    def unlock(self, receipt: Receipt) -> None:
        rest = {"skip_swa": True} if receipt.window_released else {}
        self._tree.dec_lock_ref(receipt.node, receipt.params, **rest)

    def release_window(self, receipt: Receipt) -> None:
        self._release(receipt)
        receipt.window_released = True

    def _release(self, receipt: Receipt) -> None:
        self._tree.dec_swa_lock_only(receipt.node, receipt.params)


class SkippingReceipts(Receipts):
    """An early release is told apart where the window begins, and which nodes it passed over."""

    def _release(self, receipt: Receipt) -> None:
        params = receipt.params
        self._tree.dec_swa_lock_only(
            receipt.node, params.swa_uuid_for_lock, skip_lock_node_ids=params.skip_lock_node_ids
        )


class ForgetfulReceipts(Receipts):
    """A request remembers where the window begins, and not which nodes its lock passed over."""

    def lock(self, node: Any) -> Receipt:
        receipt = super().lock(node)
        receipt.params.skip_lock_node_ids = {}
        return receipt

    def _release(self, receipt: Receipt) -> None:
        self._tree.dec_swa_lock_only(receipt.node, receipt.params.swa_uuid_for_lock)


def take(sglang: Sglang, request: Any, receipt: Any) -> None:
    """A request of SGLang's remembers a lock, as its release has it."""
    request.last_node = receipt.node
    if sglang.capabilities.tree_locks:
        request.lock = receipt
        return
    request.lock_receipt = params = receipt.params
    request.swa_uuid_for_lock = getattr(params, "swa_uuid_for_lock", None)
    request.skip_lock_node_ids = getattr(params, "skip_lock_node_ids", {})


def held_by(sglang: Sglang, request: Any) -> Any:
    """The lock that a request of SGLang's remembers."""
    can = sglang.capabilities
    if can.tree_locks:
        return request.lock
    if can.release_by_receipt:
        return Receipt(request.last_node, request.lock_receipt)
    remembered = {"skip_lock_node_ids": request.skip_lock_node_ids} if can.skips_remembered else {}
    params = sglang.params.DecLockRefParams(
        swa_uuid_for_lock=request.swa_uuid_for_lock, **remembered
    )
    return Receipt(request.last_node, params)
