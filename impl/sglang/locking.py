"""Locks of requests, as a release has them: three ways to give a window back early."""

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
    return Receipts(tree, whole=sglang.capabilities.release_by_receipt)


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
    """A request keeps what its unlock wants, and must say which part it gave back before.

    An early release wants the ``whole`` receipt, or the mark alone at which the window begins.
    """

    def __init__(self, tree: Any, whole: bool) -> None:
        self._tree, self._whole = tree, whole

    def lock(self, node: Any) -> Receipt:
        return Receipt(node, self._tree.inc_lock_ref(node).to_dec_params())

    def unlock(self, receipt: Receipt) -> None:
        rest = {"skip_swa": True} if receipt.window_released else {}
        self._tree.dec_lock_ref(receipt.node, receipt.params, **rest)

    def release_window(self, receipt: Receipt) -> None:
        params = receipt.params
        self._tree.dec_swa_lock_only(
            receipt.node, params if self._whole else params.swa_uuid_for_lock
        )
        receipt.window_released = True
