"""What a tap notes of a cache: plain tuples, which go to the scribe as they are.

A note begins with its kind. Nodes and receipts are named by numbers and texts that say which ones
are the same, and nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

Note: TypeAlias = tuple[Any, ...]
"""The kind of a call, and what it was given and gave back: see `CALLS`."""


class Prompt(NamedTuple):
    """A key, as a note has it.

    Of a request whose earlier tokens have been noted there are only those from ``start`` on; the
    request is named, so that the rest is known.
    """

    namespace: str
    request: str | None
    start: int
    tokens: bytes
    """Signed, of eight bytes each, in the order of this machine."""
    length: int
    """Tokens of the whole key."""


class Call(NamedTuple):
    """What is noted of a kind of call: the names of what it is given, and of what it returns.

    A ``key`` is a `Prompt`.
    """

    given: tuple[str, ...]
    returned: tuple[str, ...] = ()


CALLS = {
    "match": Call(("key",), ("device", "best", "node", "best_node")),
    "insert": Call(
        ("key", "protected", "evicted", "state", "priority", "inserted"), ("reused", "node")
    ),
    "lock": Call(("node",), ("receipt",)),
    "unlock": Call(("node", "receipt")),
    "release_window": Call(("node", "receipt")),
    "lock_host": Call(("node",), ("receipt",)),
    "unlock_host": Call(("node", "receipt")),
    "evict": Call(("full", "swa", "mamba"), ("freed",)),
    "evict_host": Call(("tokens", "component"), ("freed",)),
    "load_back": Call(("node", "quota"), ("loaded", "loaded_node")),
    "writing_check": Call(("blocking",), ("acknowledged",)),
    "loading_check": Call(("blocking",), ("acknowledged",)),
    "reset": Call(()),
    "not_recorded": Call(("name",)),
}
"""By kind. The note of a call has its kind, the request that it was made for, what it was given,
what it returned, what is free in each pool after it where that may have changed, and, if it raised,
the type of the error and the place; where there is nothing of these, None.
"""
HEAD, FORGET, FLUSH = "head", "forget", "flush"
"""Kinds of notes that are no calls: what the cache is; a request's tokens are not known any more;
and that what was noted may be written.
"""
