"""Operations: what a history is made of. Frozen, plain, printable as words and as JSON.

Receipts and requests are named by the operation that begins them, and an operation whose premise no
longer holds is skipped. So every sub-list of a history is a history. Numbers are in tokens unless
said otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import ClassVar, TypeAlias, get_args

from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.model.source_text import AsSource

NO_PROMPT = Key(())
"""That of an operation which uses a match that was kept."""


@dataclass(frozen=True, slots=True, repr=False)
class _Operation(AsSource):
    """Prints in words: its name, its main fields, and every field that differs from its default."""

    name: ClassVar[str]
    """That of the class, in lower case: ``evict_host``."""

    def __init_subclass__(cls) -> None:
        cls.name = re.sub("(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __str__(self) -> str:
        words = [self.name]
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, bool):
                words += [item.name] if value else []
            elif isinstance(value, Key) and isinstance(self, Using) and self.kept is not None:
                continue
            elif isinstance(value, Key | str) and item.default is MISSING:
                words.append(str(value))
            elif value != item.default:
                words.append(
                    f"{item.name} {value.name if isinstance(value, Component | Pool) else value}"
                )
        return " ".join(words)


@dataclass(frozen=True, slots=True, repr=False)
class Match(_Operation):
    """Look a prompt up. It splits a node where the match ends inside it, and renews recency (3).

    What it found is kept under the name ``kept``, to be used later (3.7).
    """

    key: Key
    kept: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Insert(_Operation):
    """Hand the KV of a computed prompt to the tree (semantics 4).

    A request allocates slots for the whole prompt, writes them, frees the SWA slots below
    ``evicted`` (its window has slid past them) and inserts. With ``reuse`` it first matches and
    uses the device prefix it was given, which the tree owns already (the protected prefix). With
    ``state`` it brings the MAMBA state of the prompt's end. Skipped when the pools have no room.
    """

    key: Key
    evicted: int = 0
    reuse: bool = False
    state: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Lock(_Operation):
    """Match a prompt and lock its last device node; the receipt is kept under a name (6.1).

    Or, without a prompt, that of a match that was ``kept`` (3.7).
    """

    receipt: str
    key: Key
    kept: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class HostLock(_Operation):
    """Match a prompt and lock the host copies of its best node, as a storage prefetch does
    (semantics 6.6); or, without a prompt, those of a match that was ``kept`` (3.7).
    """

    receipt: str
    key: Key
    kept: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Unlock(_Operation):
    """Give a receipt back, of either kind (semantics 6.2). Skipped when there is none."""

    receipt: str


@dataclass(frozen=True, slots=True, repr=False)
class ReleaseWindow(_Operation):
    """Give the SWA and MAMBA part of a receipt back early, once: the request's window has left it
    (semantics 6.4).
    """

    receipt: str


@dataclass(frozen=True, slots=True, repr=False)
class Evict(_Operation):
    """Free at least so many tokens (``mamba``: states) on the device, if that many are evictable
    (semantics 7.1).
    """

    full: int = 0
    swa: int = 0
    mamba: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class EvictHost(_Operation):
    """Free at least so many host tokens (of MAMBA: states) of one component, if they are evictable
    (semantics 7.9).
    """

    tokens: int = 0
    component: Component = Component.FULL


@dataclass(frozen=True, slots=True, repr=False)
class LoadBack(_Operation):
    """Match a prompt, and bring the part of it that is on the host only back to the device (9); or,
    without a prompt, that of a match that was ``kept`` (3.7). ``quota`` limits FULL tokens.
    """

    key: Key
    quota: int | None = None
    kept: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class HostInsert(_Operation):
    """Put the prompt's KV on the host, as a storage prefetch does that has fetched all of it
    (semantics 10.3).
    """

    key: Key


@dataclass(frozen=True, slots=True, repr=False)
class Prefetch(_Operation):
    """Begin to fetch a prompt from storage: its prefix is locked on the host, and slots for the
    rest are taken there, for which host data is evicted if need be (semantics 10.2).

    Of the rest storage has the first ``stored`` tokens (None: all); without a page it ends at once.
    """

    prefetch: str
    key: Key
    stored: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class EndPrefetch(_Operation):
    """A prefetch ends: the first ``tokens`` of what it fetches have come and are handed over (None:
    all, 0: it is aborted); the other slots, and the lock, are given back (semantics 10.2).
    """

    prefetch: str
    tokens: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class RunCopies(_Operation):
    """The engine performs its next ``count`` queued backups (``load``: load-backs) on one rank; no
    tree is told yet (semantics 17.1).

    With ``fail`` they fail: their targets hold garbage, and they have to be repeated.
    """

    count: int = 1
    load: bool = False
    fail: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class RunForward(_Operation):
    """The forward pass of a step that was launched has run (semantics 11.6)."""


@dataclass(frozen=True, slots=True, repr=False)
class WritingCheck(_Operation):
    """Acknowledge backups: those whose copies have run (polling), or all of them, waiting for the
    copies (blocking; 8.4).
    """

    blocking: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class LoadingCheck(_Operation):
    """Acknowledge load-backs, likewise (semantics 9.5)."""

    blocking: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Refuse(_Operation):
    """The next allocation from one pool fails, whatever is free there (semantics 17.4)."""

    pool: Pool = Pool.FULL


@dataclass(frozen=True, slots=True, repr=False)
class Arrive(_Operation):
    """A request comes: its prompt is matched, what is on the host is loaded back, and the prefix is
    locked (semantics 11).
    """

    request: str
    key: Key
    quota: int | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Prefill(_Operation):
    """The next ``tokens`` of a request's prompt are computed, and inserted while it goes on
    (semantics 11.2); if more of it is left, they may be only ``launched`` by then (11.6).
    """

    request: str
    tokens: int = 1
    launched: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Decode(_Operation):
    """A request whose prompt is computed generates these tokens; its window slides (11.4). The
    forward pass that computes the last of them may be only ``launched`` by then (11.6).
    """

    request: str
    tokens: tuple[int, ...] = (1,)
    launched: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Finish(_Operation):
    """A request ends: what it computed is inserted, and its lock released (semantics 11.3).

    With ``prompt_only`` its answer is not to be kept: only what it computed of its prompt is
    inserted. So many of the tokens that it generated last are ``past_stop``, and neither are they.
    """

    request: str
    prompt_only: bool = False
    past_stop: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Abort(_Operation):
    """A request ends, or is retracted (and may arrive again): nothing is inserted, and its own
    slots are freed (semantics 11.3).
    """

    request: str


@dataclass(frozen=True, slots=True, repr=False)
class Reset(_Operation):
    """Empty the cache and its pools (semantics 12). Skipped while a receipt is out, a prefetch is
    under way or a request alive; copies may be in flight.
    """


Raw: TypeAlias = (
    Match | Insert | Lock | HostLock | Unlock | ReleaseWindow | Evict | EvictHost | LoadBack
    | HostInsert | Prefetch | EndPrefetch | RunCopies | RunForward | WritingCheck | LoadingCheck
    | Refuse | Reset
)  # fmt: skip
Using: TypeAlias = Lock | HostLock | LoadBack
"""What uses what a match found: one of its own, or one that was kept."""
Requested: TypeAlias = Arrive | Prefill | Decode | Finish | Abort
Operation: TypeAlias = Raw | Requested
OPERATIONS: tuple[type[Operation], ...] = get_args(Operation)


@dataclass(frozen=True, slots=True, repr=False)
class History(AsSource):
    """Operations in order on a cache of one configuration. Every sub-list of the
    operations is a history, too.
    """

    config: Config
    operations: tuple[Operation, ...]
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where it comes from (system, seed, signature of the finding): for people, never read by
    anything that decides.
    """

    def __str__(self) -> str:
        return "\n".join(
            f"{number:3}. {operation}" for number, operation in enumerate(self.operations, 1)
        )
