"""The operations of a history as statements: what each is in SGLang's own calls.

They are the lines of one function, in which ``tree``, ``allocator`` and the `helpers` are known.
What releases call differently is in the helpers, so that the lines are the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from radixproof.impl.operations import (
    EndPrefetch,
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    Using,
    WritingCheck,
)
from radixproof.impl.sglang.memory.host import NAMES as HOST_NAMES
from radixproof.impl.sglang.paste import layout
from radixproof.model.config import HOST, Component, Config
from radixproof.model.key import Key

HOST_ENTRIES = "tree.host_pool_group.entries"
"""The pools of the host, each with its name."""


@dataclass(slots=True)
class Statements:
    """Writes the steps of one history, in their order."""

    config: Config
    filled: Component | None
    """The component whose slots are filled with what an insert brings."""
    limited: bool
    """The host pools are cut to the sizes of the configuration."""
    held: bool
    """Backups are held back until the next check (semantics 8.3)."""
    run: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    """Per direction: copies that have run and await their acknowledgement."""
    copies: bool = True
    """Copies are told to run: what a reset forgets is kept for that."""
    forgotten: bool = False
    """There was a reset, and what it has forgotten is under way."""
    released: set[str] = field(default_factory=set)
    """Receipts whose window was given back."""
    on_host: set[str] = field(default_factory=set)
    """Receipts that lock host copies."""

    def of(self, operation: Operation) -> list[str]:
        return _WRITE[type(operation)](self, operation)

    # -- looking up, locking, inserting --------------------------------------------------------

    def _match(self, operation: Match) -> list[str]:
        kept = "" if operation.kept is None else f"{_kept(operation.kept)} = "
        return [f"{kept}{found(operation.key)}"]

    def _lock(self, operation: Lock) -> list[str]:
        name = _name(operation.receipt)
        return [
            f"node_{name} = {_used(operation)}.last_device_node",
            f"receipt_{name} = tree.inc_lock_ref(node_{name}).to_dec_params()",
        ]

    def _host_lock(self, operation: HostLock) -> list[str]:
        name = _name(operation.receipt)
        self.on_host.add(operation.receipt)
        return [
            f"node_{name} = {_used(operation)}.best_match_node",
            f"receipt_{name} = tree.inc_host_lock_ref(node_{name}).to_dec_params()",
        ]

    def _unlock(self, operation: Unlock) -> list[str]:
        name = _name(operation.receipt)
        if operation.receipt in self.on_host:
            self.on_host.discard(operation.receipt)
            return [f"tree.dec_host_lock_ref(node_{name}, receipt_{name})"]
        rest = ", skip_swa=True" if operation.receipt in self.released else ""
        self.released.discard(operation.receipt)
        return [f"tree.dec_lock_ref(node_{name}, receipt_{name}{rest})"]

    def _release_window(self, operation: ReleaseWindow) -> list[str]:
        name = _name(operation.receipt)
        self.released.add(operation.receipt)
        return [f"release_swa(node_{name}, receipt_{name})"]

    def _insert(self, operation: Insert) -> list[str]:
        """As a request that ends at once: it brings slots for what it does not reuse."""
        key, page = operation.key, self.config.page_size
        length = len(key.units(self.config.bigram))
        whole, need = self.config.floor(length), -(-length // page) * page
        value, given = f"slots{'' if need == length else f'[:{length}]'}", dict[str, str]()
        slid = operation.evicted if self.config.window is not None else 0
        lines = [f"slots = {self._allocated(need)}"]
        if operation.reuse:
            lines = [
                f"owned = device_indices({found(key)})",
                f"slots = torch.cat([owned, {self._allocated(need, 'len(owned)')}])",
            ]
            given["prev_prefix_len"] = "len(owned)"
        lines += self._filled(key, length)
        if slid:
            own = "len(owned) : " if operation.reuse else ":"
            lines.append(f"allocator.free_swa(slots[{own}{slid}])  # the window has slid past them")
        if self.config.window is not None and (operation.reuse or slid):
            both = f"max(len(owned), {slid})" if slid else "len(owned)"
            given["evicted"] = both if operation.reuse else str(slid)
        if operation.priority:
            given["priority"] = str(operation.priority)
        if len(lines) == 1 and need == length:
            lines, value = [], self._allocated(need)
        if operation.state:
            given["state"] = "states.alloc(1)"
            if self.filled is Component.MAMBA and whole:
                lines += ["state = states.alloc(1)", f"content[state] = {key.tokens[whole - 1]}"]
                given["state"] = "state"
        lines.append(inserted(key, value, given))
        if whole < length:
            free = "free" if slid > whole else "allocator.free"
            lines.append(f"{free}(slots[{whole}:])  # the page that is not full")
        return lines

    @property
    def alloc(self) -> str:
        """What allocates tokens: SGLang's allocator of both pools does so for pages of one."""
        both = self.config.window is not None and self.config.page_size > 1
        return "alloc" if both else "allocator.alloc"

    def _allocated(self, count: int, owned: str = "") -> str:
        if not count:
            return "torch.empty(0, dtype=torch.int64, device=DEVICE)"
        return f"{self.alloc}({count}{f' - {owned}' if owned else ''})"

    def _filled(self, key: Key, length: int) -> list[str]:
        """Each slot holds the number of its token."""
        if self.filled not in (Component.FULL, Component.SWA):
            return []
        slots = "slots" if length % self.config.page_size == 0 else f"slots[:{length}]"
        if self.filled is Component.SWA:
            slots = f"allocator.full_to_swa_index_mapping[{slots}]"
        numbers = layout.items(key.tokens[:length])
        return [
            f"tokens = torch.tensor([{numbers}], dtype=torch.float32, device=DEVICE)",
            f"content[{slots}, 0, 0] = tokens",
        ]

    # -- tiers ---------------------------------------------------------------------------------

    def _evict(self, operation: Evict) -> list[str]:
        return [evicted(operation.full, operation.swa, operation.mamba)]

    def _evict_host(self, operation: EvictHost) -> list[str]:
        return [f"tree.evict_host({operation.tokens}, ComponentType.{operation.component.name})"]

    def _load_back(self, operation: LoadBack) -> list[str]:
        quota = "" if operation.quota is None else f", mem_quota={operation.quota}"
        late = operation.kept is not None
        what = f"found={_used(operation)}" if late else prompt(operation.key)
        return [f"load_back({what}{quota})"]

    def _host_insert(self, operation: HostInsert) -> list[str]:
        return [f"storage.host_insert({listed(operation.key)})"]

    def _prefetch(self, operation: Prefetch) -> list[str]:
        name = _name(operation.prefetch)
        return [f"prefetch_{name} = storage.prefetch([{layout.items(operation.key.tokens)}])"]

    def _end_prefetch(self, operation: EndPrefetch) -> list[str]:
        came = "" if operation.tokens is None else f", {self.config.floor(operation.tokens)}"
        return [f"storage.end_prefetch(prefetch_{_name(operation.prefetch)}{came})"]

    def _run_copies(self, operation: RunCopies) -> list[str]:
        self.run[operation.load] += operation.count
        before = (
            ["for copy in under_way:", "    copy.finish_event.synchronize()"]
            if self.forgotten
            else []
        )
        self.forgotten = False
        return before + self._wait(operation.load, f"[:{self.run[operation.load]}]")

    def _writing_check(self, operation: WritingCheck) -> list[str]:
        self.run[False] = 0
        if operation.blocking:
            return ["tree.writing_check(write_back=True)"]
        return ["poll()" if self.held else "tree.writing_check()"]

    def _loading_check(self, operation: LoadingCheck) -> list[str]:
        self.run[True] = 0
        return [*(self._wait(True, "") if operation.blocking else []), "tree.loading_check()"]

    def _wait(self, load: bool, which: str) -> list[str]:
        queue = f"tree.cache_controller.ack_{'load' if load else 'write'}_queue"
        return [f"for copy in {queue}{which}:", "    copy.finish_event.synchronize()"]

    def _reset(self, _: Reset) -> list[str]:
        limits = host_limits(self.config) if self.limited else []
        states = ["states.clear()"] if self.config.mamba_states else []
        self.forgotten = self.copies and self.config.hosted
        self.run = {False: 0, True: 0}
        queues = "*tree.cache_controller.ack_write_queue, *tree.cache_controller.ack_load_queue"
        under_way = [f"under_way = [{queues}]"] if self.forgotten else []
        return [*under_way, "tree.reset()", "allocator.clear()", *states, *limits]


def host_limits(config: Config) -> list[str]:
    """SGLang wants more slots on the host than on the device: what is too many is taken away."""
    sizes = {HOST_NAMES[one]: config.slots(HOST[one]) for one in config.components}
    return [
        f"sizes = {json.dumps(sizes)}",
        f"for entry in {HOST_ENTRIES}:  # SGLang wants more than that",
        "    entry.host_pool.alloc(entry.host_pool.size - sizes[entry.name.value])",
    ]


def evicted(full: int, swa: int, mamba: int) -> str:
    """An eviction on the device."""
    more = f", swa_num_tokens={swa}" if swa else ""
    more += f", mamba_num={mamba}" if mamba else ""
    return f"tree.evict(EvictParams(num_tokens={full}{more}))"


def prompt(key: Key) -> str:
    """A key in the words of the file."""
    parts = [layout.items(key.tokens)] if key.tokens else []
    parts += [f"extra_key={layout.quoted(key.namespace)}"] if key.namespace else []
    return f"key({', '.join(parts)})"


def listed(key: Key) -> str:
    """A key as what is fetched is told: a list, and the namespace if it has one."""
    namespace = f", extra_key={layout.quoted(key.namespace)}" if key.namespace else ""
    return f"[{layout.items(key.tokens)}]{namespace}"


def inserted(key: Key, value: str, given: Mapping[str, str]) -> str:
    """An insert of slots under a prompt, with what else the tree is told."""
    told = "".join(f", {name}={text}" for name, text in given.items())
    return f"insert({prompt(key)}, {value}{told})"


def found(key: Key) -> str:
    """What a match of a prompt returns."""
    return f"tree.match_prefix(MatchPrefixParams(key={prompt(key)}))"


def _used(operation: Using) -> str:
    """The match that an operation uses: its own, or one that was kept."""
    return found(operation.key) if operation.kept is None else _kept(operation.kept)


def _kept(match: str) -> str:
    """What a kept match is called."""
    return f"found_{_name(match)}"


def _name(receipt: str) -> str:
    """A receipt's name as a part of Python's names."""
    return "".join(letter if letter.isalnum() else "_" for letter in receipt)


_WRITE: dict[type[Operation], Callable[[Statements, Any], list[str]]] = {
    Match: Statements._match,
    Insert: Statements._insert,
    Lock: Statements._lock,
    HostLock: Statements._host_lock,
    Unlock: Statements._unlock,
    ReleaseWindow: Statements._release_window,
    Evict: Statements._evict,
    EvictHost: Statements._evict_host,
    LoadBack: Statements._load_back,
    HostInsert: Statements._host_insert,
    Prefetch: Statements._prefetch,
    EndPrefetch: Statements._end_prefetch,
    RunCopies: Statements._run_copies,
    WritingCheck: Statements._writing_check,
    LoadingCheck: Statements._loading_check,
    Reset: Statements._reset,
}
WRITTEN = frozenset(_WRITE)
"""What can be written. Which of it a release offers is for its scope to say."""
