"""Operations: what a history is made of. Frozen, plain, printable as Python and as JSON.

An operation never holds a token count or a name that another operation would have to produce first: receipts are named by the
operation that takes them, and an operation whose premise is gone is skipped. So every sub-list of a history is a history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from radixproof.model.config import Component


@dataclass(frozen=True, slots=True)
class Key:
    """A prompt: its tokens, and the namespace (SGLang's ``extra_key``) it is private to (semantics 2.1)."""

    tokens: tuple[int, ...]
    namespace: str = ""

    def __str__(self) -> str:
        text = "[" + " ".join(map(str, self.tokens)) + "]"
        return f"{self.namespace}:{text}" if self.namespace else text


@dataclass(frozen=True, slots=True)
class Match:
    """Look a prompt up. It splits a node where the match ends inside it, and renews recency (semantics 3)."""

    name: ClassVar[str] = "match"
    key: Key

    def __str__(self) -> str:
        return f"match {self.key}"


@dataclass(frozen=True, slots=True)
class Insert:
    """Hand the KV of a computed prompt to the tree (semantics 4).

    The request allocates slots for the whole prompt, writes them, frees the SWA slots below ``evicted`` tokens (its window has
    slid past them) and inserts. With ``reuse`` it first matches and uses the device prefix it was given, which the tree owns
    already (the protected prefix), so that only the rest is allocated. Skipped when the pools have no room.
    """

    name: ClassVar[str] = "insert"
    key: Key
    evicted: int = 0
    reuse: bool = False

    def __str__(self) -> str:
        window = f", SWA evicted below {self.evicted}" if self.evicted else ""
        return f"insert {self.key}{window}{', reusing its matched prefix' if self.reuse else ''}"


@dataclass(frozen=True, slots=True)
class Lock:
    """Match a prompt and lock its last device node; the receipt is kept under a name (semantics 6.1)."""

    name: ClassVar[str] = "lock"
    receipt: str
    key: Key

    def __str__(self) -> str:
        return f"lock {self.key} as {self.receipt}"


@dataclass(frozen=True, slots=True)
class Unlock:
    """Give a receipt back (semantics 6.2). Skipped when there is no such receipt."""

    name: ClassVar[str] = "unlock"
    receipt: str

    def __str__(self) -> str:
        return f"unlock {self.receipt}"


@dataclass(frozen=True, slots=True)
class Evict:
    """Free at least ``full`` FULL tokens and ``swa`` SWA tokens on the device, if that many are evictable (semantics 7.1)."""

    name: ClassVar[str] = "evict"
    full: int
    swa: int = 0

    def __str__(self) -> str:
        amounts = [f"{count} {kind} tokens" for count, kind in ((self.full, "FULL"), (self.swa, "SWA")) if count]
        return "evict " + (" and ".join(amounts) or "nothing")


@dataclass(frozen=True, slots=True)
class EvictHost:
    """Free at least ``tokens`` host tokens of one component, if that many are evictable (semantics 7.9)."""

    name: ClassVar[str] = "evict_host"
    tokens: int
    component: Component = Component.FULL

    def __str__(self) -> str:
        return f"evict_host {self.tokens} {self.component.name} tokens"


@dataclass(frozen=True, slots=True)
class RunCopies:
    """The copy engine performs its next ``count`` queued copies; nothing in the tree knows yet (semantics 17.1)."""

    name: ClassVar[str] = "run_copies"
    count: int = 1

    def __str__(self) -> str:
        return f"run {self.count} queued cop{'y' if self.count == 1 else 'ies'}"


@dataclass(frozen=True, slots=True)
class WritingCheck:
    """Acknowledge backups: those whose copies have run (polling), or all of them, waiting for the copies (blocking; 8.4)."""

    name: ClassVar[str] = "writing_check"
    blocking: bool = False

    def __str__(self) -> str:
        return "writing_check" + (" (blocking)" if self.blocking else "")


@dataclass(frozen=True, slots=True)
class Reset:
    """Empty the cache and its pools (semantics 12). Skipped unless idle: no receipt out, no copy in flight."""

    name: ClassVar[str] = "reset"

    def __str__(self) -> str:
        return "reset"


Operation: TypeAlias = Match | Insert | Lock | Unlock | Evict | EvictHost | RunCopies | WritingCheck | Reset
OPERATIONS: tuple[type[Operation], ...] = (Match, Insert, Lock, Unlock, Evict, EvictHost, RunCopies, WritingCheck, Reset)
