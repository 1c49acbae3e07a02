"""What a release tells routers of what is cached where: its KV cache events, as `Event`s.

A page's name in them is a hash. Until 0.5.21 it leaves the namespace (``extra_key``) out, and
nothing else in an event says it; since 0.5.22 it is part of the name if the events are asked for in
the format ``dynamo``, which also says what adapter a namespace stands for: here, for itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from radixproof.impl.observation import Event
from radixproof.impl.sglang.api import Capabilities
from radixproof.impl.sglang.names import PYTHON


class OwnNames:
    """In the place of SGLang's table of adapters: a namespace is called what it is called."""

    def resolve(self, namespace: str | None) -> str | None:
        return namespace


def asked_for(can: Capabilities) -> dict[str, Any]:
    """Parameters of a cache that is to announce what it has."""
    if not can.events:
        return {}
    if not can.named_namespaces:
        return {"enable_kv_cache_events": True}
    return {
        "enable_kv_cache_events": True,
        "dynamo_kv_event_format": True,
        "kv_event_lora_names": OwnNames(),
    }


def can_hear(can: Capabilities, core: str) -> bool:
    """Whether it announces anything, and of what namespace that is can be found out."""
    return can.events and (can.named_namespaces or core == PYTHON)


class Events:
    """The events of one cache."""

    def __init__(self, tree: Any, can: Capabilities, page_size: int) -> None:
        self._tree = tree
        self._page_size = page_size
        self._named = can.named_namespaces
        self._unsaid: deque[str] = deque()
        """The namespaces of the pages that are stored in the events to come, if those do not say
        them.
        """
        if not self._named:
            self._note_namespaces()

    def drain(self) -> tuple[Event, ...]:
        """What was said since the last call, a page at a time."""
        return tuple(said for event in self._tree.take_events() for said in self._said(event))

    def _said(self, event: Any) -> Iterator[Event]:
        kind = type(event).__name__
        if kind == "AllBlocksCleared":
            yield Event("cleared")
        elif kind == "BlockRemoved":
            yield Event("removed", _on_host(event), tuple(event.block_hashes))
        elif kind.startswith("BlockStored"):
            yield from self._stored(event)
        else:
            yield Event(kind)

    def _stored(self, event: Any) -> Iterator[Event]:
        """Pages that SGLang puts into one event may be of several namespaces."""
        size, above = self._page_size, event.parent_block_hash
        for at, block in enumerate(event.block_hashes):
            units = event.token_ids[at * size : (at + 1) * size]
            tokens = tuple(tuple(unit) if isinstance(unit, list) else unit for unit in units)
            namespace = event.lora_name if self._named else self._unsaid.popleft()
            yield Event("stored", _on_host(event), (block,), above, tokens, namespace or "")
            above = block

    def _note_namespaces(self) -> None:
        """Every page that is to be stored is of the namespace of its node."""
        recorder = getattr(self._tree, "tree_core", self._tree)
        recorder = getattr(recorder, "kv_events", recorder)
        name = "record_store" if hasattr(recorder, "record_store") else "_record_store_event"
        record = getattr(recorder, name)

        def noted(node: Any, *args: Any, **named: Any) -> None:
            record(node, *args, **named)
            pages = len(node.key) // self._page_size
            self._unsaid.extend([node.key.extra_key or ""] * pages)

        setattr(recorder, name, noted)


def _on_host(event: Any) -> bool:
    return event.medium is not None and event.medium.name == "CPU"
