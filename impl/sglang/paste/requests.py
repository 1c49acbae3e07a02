"""What a request does, as statements: the calls that a scheduler made for it when it was played.

A request has a row of slots, the tree's first and its own behind them. In the file the row is a
tensor that grows; the slots of a call are a part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from radixproof.impl.sglang.paste.layout import items, quoted
from radixproof.impl.sglang.paste.statements import evicted, found, inserted, prompt
from radixproof.impl.system import Lookup
from radixproof.model.config import Config
from radixproof.model.key import Key


class Call(NamedTuple):
    """A call of a method of the system; the result is None if it raised."""

    method: str
    arguments: tuple[Any, ...]
    result: Any


@dataclass(slots=True)
class Requests:
    """Writes the calls of the requests of one history, in their order."""

    config: Config
    alloc: str
    """What allocates tokens in the file."""
    rows: dict[str, list[int]] = field(default_factory=dict)
    """By request: its slots."""
    names: list[tuple[Any, str]] = field(default_factory=list)
    """Receipts that are out, each with its name in the file."""
    released: set[str] = field(default_factory=set)
    """Names of receipts whose window was given back."""
    bare: set[int] = field(default_factory=set)
    """Slots that were allocated here and have lost their SWA peers."""
    states: dict[int, str] = field(default_factory=dict)
    """By slot: the name of a state that a request owns."""
    carried: list[Any] = field(default_factory=list)
    """SGLang's records of requests."""
    looked: tuple[Key, Lookup] | None = None
    """The last match, of which nothing is written before it is used."""

    def of(self, request: str, calls: Sequence[Call]) -> list[str]:
        return [
            line
            for call in calls
            if call.method in _WRITE
            for line in _WRITE[call.method](self, request, call)
        ]

    def _match(self, _: str, call: Call) -> list[str]:
        self.looked = (call.arguments[0], call.result) if call.result is not None else None
        return [] if self.looked else [found(call.arguments[0])]

    def _load_back(self, _: str, call: Call) -> list[str]:
        """It is left out where there was nothing to load: the next match looks up the same."""
        quota = "" if call.arguments[1] is None else f", mem_quota={call.arguments[1]}"
        assert self.looked is not None
        key, lookup = self.looked
        return [] if lookup.best == lookup.device else [f"load_back({prompt(key)}{quota})"]

    def _lock(self, request: str, call: Call) -> list[str]:
        assert self.looked is not None
        key, lookup = self.looked
        row = self.rows.setdefault(request, [])
        name = f"{request}_{len(self.names)}"
        self.names.append((call.result, name))
        lines = [
            f"found = {found(key)}",
            f"node_{name} = found.last_device_node",
            f"receipt_{name} = tree.inc_lock_ref(node_{name}).to_dec_params()",
        ]
        rest = row[lookup.device :]
        if lookup.slots or not row:
            tail = f"row_{request}[{lookup.device}:]"
            served = "device_indices(found)"
            new = f"torch.cat([{served}, {tail}])" if rest else served
            lines.append(f"row_{request} = {new}")
            self.rows[request] = [*lookup.slots, *rest]
        return lines

    # -- requests that SGLang's own functions carry --------------------------------------------

    def _begin_request(self, request: str, call: Call) -> list[str]:
        if call.result is None:
            return []
        key, _, receipt, state, priority = call.arguments
        name = self._name(receipt)
        self.carried.append(call.result)
        told = f", state={self.states[state]}" if state is not None else ""
        if key.namespace:
            told += f", extra_key={quoted(key.namespace)}"
        told += f", priority={priority}" if priority else ""
        given = f"row_{request}, node_{name}, receipt_{name}"
        return [f"req_{request} = arrived({given}, prompt={len(key.tokens)}{told})"]

    def _make_room(self, _: str, call: Call) -> list[str]:
        """It is left out where nothing was lacking."""
        made = call.result is None or call.result.moments
        return [f"common.evict_from_tree_cache(tree, {call.arguments[1]})"] if made else []

    def _compute(self, request: str, call: Call) -> list[str]:
        _, key, row, units = call.arguments
        tokens = units + self.config.bigram
        self.rows[request] = list(row)
        part = f"row_{request}{'' if tokens == len(row) else f'[:{tokens}]'}"
        return [f"compute(req_{request}, [{items(key.tokens)}], {part})"]

    def _track(self, request: str, call: Call) -> list[str]:
        tracked = f"track(req_{request}, {call.arguments[1]})"
        return [] if call.result is None else [tracked]

    def _slide(self, request: str, _: Call) -> list[str]:
        return [] if self.config.window is None else [f"slide(req_{request})"]

    def _carry_on(self, request: str, call: Call) -> list[str]:
        return [f"carry_on(req_{request}{'' if call.arguments[1] else ', chunked=True'})"]

    def _end_request(self, request: str, call: Call) -> list[str]:
        _, insert, *kept = call.arguments
        prompt_only, past_stop = kept or (False, 0)
        told = "" if insert else ", insert=False"
        told += ", prompt_only=True" if prompt_only else ""
        told += f", past_stop={past_stop}" if past_stop else ""
        return [f"end(req_{request}{told})"]

    # -- requests that are played, and locks ---------------------------------------------------

    def _unlock(self, _: str, call: Call) -> list[str]:
        name = self._name(call.arguments[0])
        rest = ", skip_swa=True" if name in self.released else ""
        return [f"tree.dec_lock_ref(node_{name}, receipt_{name}{rest})"]

    def _release_window(self, request: str, call: Call) -> list[str]:
        if any(one is call.arguments[0] for one in self.carried):
            return [f"release_swa_of(req_{request})"]
        name = self._name(call.arguments[0])
        self.released.add(name)
        return [f"release_swa(node_{name}, receipt_{name})"]

    def _name(self, receipt: Any) -> str:
        return next(name for other, name in self.names if other is receipt)

    def _evict(self, _: str, call: Call) -> list[str]:
        return [evicted(*call.arguments)]

    def _allocate(self, request: str, call: Call) -> list[str]:
        if call.result is None:
            return []
        self.rows[request] += call.result
        self.bare.difference_update(call.result)
        row = f"row_{request}"
        return [f"{row} = torch.cat([{row}, {self.alloc}({call.arguments[0]})])"]

    def _insert(self, request: str, call: Call) -> list[str]:
        key, slots, protected, evicted = call.arguments[:4]
        given = {"prev_prefix_len": protected, "evicted": evicted}
        told = {name: str(length) for name, length in given.items() if length}
        state = call.arguments[4] if len(call.arguments) > 4 else None
        if state is not None:
            told["state"] = self.states.pop(state)
        if any(call.arguments[6:]):
            told["inserted"] = str(call.arguments[6])
        return [inserted(key, self._part(request, slots), told)]

    def _copy_state(self, request: str, call: Call) -> list[str]:
        assert self.looked is not None
        copied = f"first_state({prompt(self.looked[0])})"
        return [copied] if call.result is None else [f"{self._begin(request, call)} = {copied}"]

    def _allocate_state(self, request: str, call: Call) -> list[str]:
        return [] if call.result is None else [f"{self._begin(request, call)} = states.alloc(1)"]

    def _begin(self, request: str, call: Call) -> str:
        """The name of a new state. A request has one, and another that it is about to insert."""
        name = f"state_{request}"
        if name in self.states.values():
            name = f"new_{name}"
        self.states[call.result] = name
        return name

    def _free_state(self, _: str, call: Call) -> list[str]:
        """What an insert does not take, `insert` frees."""
        name = self.states.pop(call.arguments[0], None)
        return [f"states.free({name})"] if name else []

    def _free(self, request: str, call: Call) -> list[str]:
        slots = call.arguments[0]
        free = "allocator.free" if self.bare.isdisjoint(slots) else "free"
        return [f"{free}({self._part(request, slots)})"]

    def _free_swa(self, request: str, call: Call) -> list[str]:
        self.bare.update(call.arguments[0])
        return [f"allocator.free_swa({self._part(request, call.arguments[0])})"]

    def _part(self, request: str, slots: Sequence[int]) -> str:
        row = self.rows[request]
        start = row.index(slots[0]) if slots else 0
        end = start + len(slots)
        if (start, end) == (0, len(row)):
            return f"row_{request}"
        return f"row_{request}[{start or ''}:{end if end < len(row) else ''}]"


_WRITE: dict[str, Callable[[Requests, str, Call], list[str]]] = {
    "match": Requests._match,
    "load_back": Requests._load_back,
    "lock": Requests._lock,
    "begin_request": Requests._begin_request,
    "make_room": Requests._make_room,
    "compute": Requests._compute,
    "track": Requests._track,
    "slide": Requests._slide,
    "carry_on": Requests._carry_on,
    "end_request": Requests._end_request,
    "unlock": Requests._unlock,
    "release_window": Requests._release_window,
    "evict": Requests._evict,
    "allocate": Requests._allocate,
    "insert": Requests._insert,
    "free": Requests._free,
    "free_swa": Requests._free_swa,
    "copy_state": Requests._copy_state,
    "allocate_state": Requests._allocate_state,
    "free_state": Requests._free_state,
}
"""Of the other calls, nothing is written: they only ask, or fill slots."""
