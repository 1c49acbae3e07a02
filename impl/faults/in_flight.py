"""Bugs in the order of copies and of the forward pass that is in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache


@fault(
    "SGLang 0.5.23: write_fence_stream",
    "a backup does not wait for the forward pass that computes what it copies",
    Property.CONTENT,
)
def backup_overtakes_forward(cache: RadixCache) -> None:
    _wait_for_nothing(cache.backups._outstanding._engine)


@fault(
    "SGLang pull request 36738",
    "a load-back does not wait for the forward pass that still writes to its slots",
    Property.CONTENT,
)
def load_overtakes_forward(cache: RadixCache) -> None:
    _wait_for_nothing(cache.loader._outstanding._engine)


def _wait_for_nothing(engine: Any) -> None:
    engine.forward = type(engine.forward)()
