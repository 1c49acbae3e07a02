"""A trace made into a history: calls on the tree become operations, in their order.

What cannot be rebuilt is left out and counted, by reason. Two things a history has not as the
server had them: an operation that uses what a match found looks its prompt up anew, and requests
own no slots between their inserts; room was made as the trace says all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import msgspec

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.recording.pseudonyms import SIZE
from radixproof.model.config import Component, Config, ConfigError, EvictionPolicy
from radixproof.model.key import Key
from radixproof.properties.histories.limits import (
    LARGEST_NUMBER,
    MOST_SLOTS_OF_A_SERVER,
    MOST_TOKENS_OF_A_TRACE,
)
from radixproof.properties.traces.trace_file import CallLine, Head, KeyLine, Line, TraceError

Said: TypeAlias = int | tuple[int, ...] | None
"""What is compared of an outcome: tokens found on the device, found by an insert, freed per
component, or loaded; None where nothing is.
"""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The history that a trace tells."""

    history: History
    said: tuple[Said, ...]
    """What came of each operation in the server, as far as the trace says."""
    calls: int
    left_out: Counter[str]
    """Calls that could not be rebuilt, by reason."""
    raised: str = ""
    """The last call that raised in the server, with what it raised and where."""


def rebuild(lines: Iterable[Line]) -> Rebuilt:
    """The history of a trace. Raises `TraceError`."""
    stream = iter(lines)
    head = next(stream, None)
    if not isinstance(head, Head):
        raise TraceError("the trace is empty: not even its first line is there")
    rebuilder = _Rebuilder(_config(head))
    for line in stream:
        if isinstance(line, KeyLine):
            rebuilder.define(line)
        elif isinstance(line, CallLine):
            rebuilder.call(line)
        else:
            rebuilder.keys.clear()
    history = History(
        rebuilder.config, tuple(rebuilder.operations), {"system": head.system, "from": "a trace"}
    )
    said = tuple(rebuilder.said)
    return Rebuilt(history, said, rebuilder.calls, rebuilder.left_out, rebuilder.raised)


def _config(head: Head) -> Config:
    """The configuration of a head, by the names of a history's."""
    values: dict[str, Any] = msgspec.to_builtins(head.config)
    try:
        policy = EvictionPolicy(values.pop("eviction_policy", "lru"))
        config = Config(eviction_policy=policy, **values)
    except (TypeError, ValueError, ConfigError) as error:
        raise TraceError(f"the first line: no cache is configured so: {error}") from None
    slots = sum(map(config.slots, config.pools))
    if slots > MOST_SLOTS_OF_A_SERVER:
        raise TraceError(
            f"the first line: all pools together have {slots:,} slots, and"
            f" {MOST_SLOTS_OF_A_SERVER:,} are the most that are built"
        )
    return config


@dataclass(frozen=True, slots=True)
class _Text:
    """A key of the trace: its namespace, and a number for each of its whole pages."""

    namespace: str
    pages: tuple[int, ...]


@dataclass(slots=True)
class _Rebuilder:
    config: Config
    operations: list[Operation] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    keys: dict[int, _Text] = field(default_factory=dict)
    calls: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    raised: str = ""
    _tokens: int = 0
    """Of all keys so far."""
    _raises: bool = False
    """The call that is being rebuilt raised: nothing came of it."""
    _names: dict[str, int] = field(default_factory=dict)
    """Of pages by their pseudonyms: the tokens that they are made of."""
    _prompts: dict[_Text, Key] = field(default_factory=dict)
    _ends: dict[int, Key] = field(default_factory=dict)
    """By node: a key that ends there."""
    _bests: dict[int, Key] = field(default_factory=dict)
    """By node: the key that was looked up last and of which what is on either tier ends there."""
    _just_matched: int | None = None
    """The device node of the match that was the last call."""
    _receipts: dict[tuple[bool, int | None, str], list[str]] = field(default_factory=dict)
    """By tier and what tells receipts apart: the names of those that are out; "" for one that could
    not be rebuilt.
    """
    _numbers: Any = field(default_factory=lambda: count(1))

    def define(self, line: KeyLine) -> None:
        pages = self.keys[line.of].pages[: line.shared] if line.of in self.keys else ()
        digits = 2 * SIZE
        pseudonyms = (line.pages[at : at + digits] for at in range(0, len(line.pages), digits))
        numbers = (self._names.setdefault(one, len(self._names) + 1) for one in pseudonyms)
        text = _Text(line.namespace, (*pages, *numbers))
        self.keys[line.key] = text
        self._tokens += self.config.page_size * len(text.pages)
        if self._tokens > MOST_TOKENS_OF_A_TRACE:
            raise TraceError(
                f"its keys have more than {MOST_TOKENS_OF_A_TRACE:,} tokens, the most that are"
                " rebuilt: name a single file of it"
            )

    def call(self, line: CallLine) -> None:
        self.calls += 1
        self._raises = line.raised is not None
        if self._raises:
            asked = f" for {line.request}" if line.request else ""
            self.raised = f"{line.call}{asked} raised {line.raised} in {line.where}"
        """A match and the lock of what it found, in the very next call, are one operation."""
        just_matched, self._just_matched = self._just_matched, None
        if line.node is None or line.node != just_matched or line.call != "lock":
            _REBUILT[line.call](self, line)
            return
        match, device = self.operations.pop(), self.said.pop()
        assert isinstance(match, Match)
        self.add(Lock(self._receipt(line, "l"), match.key), device)

    def add(self, operation: Operation, said: Said = None) -> None:
        self.operations.append(operation)
        self.said.append(None if self._raises else said)

    def leave_out(self, reason: str) -> None:
        self.left_out[reason] += 1

    # -- the kinds of calls ------------------------------------------------------------------------

    def match(self, line: CallLine) -> None:
        key = self._key(line)
        self.add(Match(key), line.device)
        if line.best_node is not None:
            self._bests[line.best_node] = key
        if line.node is not None:
            self._ends[line.node] = self._prefix(key, line.device)
            self._just_matched = line.node

    def insert(self, line: CallLine) -> None:
        key = self._key(line)
        evicted = 0 if self.config.window is None else line.evicted
        insert = Insert(key, evicted, line.protected > 0, line.state, line.priority)
        self.add(insert, line.reused)
        if line.node is not None:
            self._ends[line.node] = key

    def lock(self, line: CallLine) -> None:
        key = None if line.node is None else self._ends.get(line.node)
        if key is None:
            self.leave_out("no match and no insert of the trace ended at its node")
            self._receipts_of(line).append("")
        else:
            self.add(Lock(self._receipt(line, "l"), key))

    def lock_host(self, line: CallLine) -> None:
        key = self._best(line)
        if key is None:
            self._receipts_of(line).append("")
        else:
            self.add(HostLock(self._receipt(line, "h"), key))

    def _receipts_of(self, line: CallLine) -> list[str]:
        on_host = line.call in ("lock_host", "unlock_host")
        return self._receipts.setdefault((on_host, line.node, line.receipt), [])

    def _receipt(self, line: CallLine, kind: str) -> str:
        name = f"{kind}{next(self._numbers)}"
        self._receipts_of(line).append(name)
        return name

    def unlock(self, line: CallLine) -> None:
        """Of locks that nothing tells apart one that could not be rebuilt goes first: so the node
        is locked as long as it was.
        """
        names = self._receipts_of(line)
        if "" in names:
            names.remove("")
            self.leave_out("the lock that it gives back could not be rebuilt")
        elif names:
            self.add(Unlock(names.pop(0)))
        else:
            self.leave_out("the lock that it gives back is not in the trace")

    def release_window(self, line: CallLine) -> None:
        name = next(filter(None, self._receipts_of(line)), None)
        if name is None:
            self.leave_out("the lock of which it gives a part back is not in the trace")
        else:
            self.add(ReleaseWindow(name))

    def evict(self, line: CallLine) -> None:
        freed = line.freed if isinstance(line.freed, tuple) else None
        wanted = (_amount(count) for count in (line.full, line.swa, line.mamba))
        self.add(Evict(*wanted), freed)

    def evict_host(self, line: CallLine) -> None:
        self.add(EvictHost(_amount(line.tokens), Component[line.component.upper()]))

    def load_back(self, line: CallLine) -> None:
        key = self._best(line)
        if key is None:
            return
        quota = None if line.quota is None else _amount(line.quota)
        self.add(LoadBack(key, quota), line.loaded)
        if line.loaded and line.loaded_node is not None:
            self._ends[line.loaded_node] = key

    def writing_check(self, line: CallLine) -> None:
        self._check(line, WritingCheck(line.blocking), load=False)

    def loading_check(self, line: CallLine) -> None:
        self._check(line, LoadingCheck(line.blocking), load=True)

    def _check(self, line: CallLine, check: Operation, load: bool) -> None:
        """Copies run when their end is noticed, if not before."""
        if line.acknowledged and not line.blocking:
            self.add(RunCopies(line.acknowledged, load))
        self.add(check)

    def reset(self, line: CallLine) -> None:
        self.add(Reset())
        for known in (self._ends, self._bests, self._receipts):
            known.clear()

    def not_recorded(self, line: CallLine) -> None:
        self.leave_out(f"what {line.name or 'it'} does is not recorded")

    # -- keys --------------------------------------------------------------------------------------

    def _key(self, line: CallLine) -> Key:
        text = None if line.key is None else self.keys.get(line.key)
        if text is None:
            raise TraceError(f"call {self.calls}: there is no key {line.key} before it")
        if text not in self._prompts:
            self._prompts[text] = self._prompt(text)
        return self._prompts[text]

    def _prompt(self, text: _Text) -> Key:
        """Pages that are the same, or not, as those of the trace. As pairs of neighbours, a page is
        its tokens but the first, and the first of the next.
        """
        size = self.config.page_size
        tokens = tuple(page for page in text.pages for _ in range(size))
        first = (0,) if self.config.bigram and tokens else ()
        return Key(first + tokens, text.namespace)

    def _prefix(self, key: Key, units: int) -> Key:
        tokens = units + (self.config.bigram and units > 0)
        return key if tokens >= len(key.tokens) else Key(key.tokens[:tokens], key.namespace)

    def _best(self, line: CallLine) -> Key | None:
        key = None if line.node is None else self._bests.get(line.node)
        if key is None:
            self.leave_out("no match of the trace ended at its node")
        return key


def _amount(asked: int) -> int:
    """As many as a history may ask for: none where a server asks for less, and all for too many."""
    return min(max(asked, 0), LARGEST_NUMBER)


_REBUILT: dict[str, Callable[[_Rebuilder, CallLine], None]] = {
    "match": _Rebuilder.match,
    "insert": _Rebuilder.insert,
    "lock": _Rebuilder.lock,
    "unlock": _Rebuilder.unlock,
    "release_window": _Rebuilder.release_window,
    "lock_host": _Rebuilder.lock_host,
    "unlock_host": _Rebuilder.unlock,
    "evict": _Rebuilder.evict,
    "evict_host": _Rebuilder.evict_host,
    "load_back": _Rebuilder.load_back,
    "writing_check": _Rebuilder.writing_check,
    "loading_check": _Rebuilder.loading_check,
    "reset": _Rebuilder.reset,
    "not_recorded": _Rebuilder.not_recorded,
}
