"""Sabotage of the events that tell what is cached where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.sabotage.planting import FULL, Strikes, kind

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node


@kind(
    "what is stored is not announced",
    "1.8",
    "A router that hears all events knows exactly what is resident, but for backups in flight.",
)
def stored_event_missing(cache: RadixCache, strikes: Strikes) -> None:
    events = cache.tree.events
    assert events is not None
    stored = events.stored

    def in_silence(node: Node, on_host: bool) -> None:
        if not strikes(FULL):
            stored(node, on_host)

    events.stored = in_silence  # type: ignore[method-assign]
