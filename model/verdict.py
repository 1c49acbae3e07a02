"""Properties, by name and sentence, and the form of a breach."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from radixproof.model.config import Pool
from radixproof.model.key import Key


class Property(Enum):
    """What must hold: the sentence that a report starts with, and the caches it applies to."""

    OWN = (
        "every device slot is in exactly one place: free, or owned by one node or request; "
        "none twice, none lost"
    )
    OWN_H = (
        "every host slot is in exactly one place: free, or owned by one node; "
        "none twice, none lost",
        "a host tier",
    )
    MAP = (
        "the full→SWA map has an entry exactly for the tokens whose SWA state is on device, "
        "and it names that state's slot",
        "SWA",
    )
    CONTENT = "bytes served for a prefix are the bytes computed for that prefix"
    RACE = (
        "of two accesses to one slot, one of which writes, one comes after the other by a stream, "
        "an event, or what the host has waited for",
        "systems whose streams the harness stands in for",
    )
    PIN = "no slot of a locked node or of a copy in flight is freed or replaced"
    BACKUP = (
        "a backed-up node has a backed-up parent, and is past the threshold or above one that is",
        "write-through",
    )
    DEVPATH = "a node on device has its parent on device, and no node is on neither tier"
    LOCK = "a lock covers what the receipt says, and a release undoes exactly its acquire"
    SIZE = "evictable and protected sizes are the sums of the unlocked and the locked device values"
    LEAF = (
        "evictable-leaf sets and LRU lists hold exactly the nodes their definitions name",
        "systems that show them",
    )
    RECENCY = (
        "what is first in the configured order goes first; "
        "untouched content does not become more recent than touched content"
    )
    PROGRESS = (
        "eviction frees what it was asked for and not more; "
        "a node past its threshold is backed up when the host has room, "
        "so that eviction demotes it and its prefix is not lost"
    )
    MATCH = "a match is as long as the specification says, and what was inserted can be matched"
    QUIESCE = (
        "when every lock is released and every copy acknowledged, "
        "no lock, no mark and no protected size is left"
    )
    EVENT = (
        "the event stream, replayed, gives what is resident on each tier; "
        "nothing is removed that was not stored",
        "events",
    )
    RANK = (
        "replicas that ran the same history, with copies completing at different times, "
        "are the same, and so are the cores of one release",
        "several ranks, or cores",
    )
    STUTTER = (
        "operations that only look, split, lock or acknowledge change no page's state, and none"
        " gives a page that stays other device slots without need"
    )
    NOCRASH = "every legal operation returns: none raises, hangs, or ends the process"
    REPEAT = "the same operations on a new cache have the same outcomes and leave the same state"

    def __init__(self, sentence: str, scope: str = "every cache") -> None:
        self.sentence = sentence
        self.scope = scope

    @property
    def label(self) -> str:
        """The name as it is written in reports: ``OWN-H``."""
        return self.name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Witness:
    """What a plain test can assert after the bad step, of the node that has the end of ``prefix``.

    Exactly one of the others is set: the pool holds the node (or not), the component has so many
    locks on it, the slots in the pool are those from before the step, they hold what was computed
    for the prefix, the node is in the set of evictable leaves of the tier (or not).
    """

    prefix: Key
    pool: Pool
    held: bool | None = None
    locks: int | None = None
    kept: bool | None = None
    content: bool | None = None
    leaf: bool | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """One property broken in one way.

    ``rule`` groups breaches of one cause; ``text`` says what was expected and what was seen.
    """

    violates: Property
    rule: str
    text: str
    witness: Witness | None = None

    @property
    def signature(self) -> str:
        return f"{self.violates.label}/{self.rule}"
