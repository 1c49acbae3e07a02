"""Write a finding as a pytest file with one test, which knows nothing of radixproof.

The file builds the cache of the history's configuration, performs each operation as the harness
does, and asserts what the witness of the breach says. Three differences: slots are filled with
content only where content is asserted, requests do not wait for room, and where backups are queued
they are submitted at the end of an insert, not one by one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from radixproof.impl.operations import (
    History,
    HostInsert,
    Insert,
    Operation,
    Prefetch,
    Requested,
    RunCopies,
)
from radixproof.impl.sglang.names import PYTHON
from radixproof.impl.sglang.paste import layout
from radixproof.impl.sglang.paste.assertions import assertion
from radixproof.impl.sglang.paste.imports import imported
from radixproof.impl.sglang.paste.requests import Call, Requests
from radixproof.impl.sglang.paste.shown import NOTHING_SEEN, Assertion, Seen, Unwritable
from radixproof.impl.sglang.paste.statements import WRITTEN, Statements, host_limits
from radixproof.impl.sglang.releases import OLDEST
from radixproof.impl.sglang.store import version_key
from radixproof.model.config import DEVICE, HOST, Component, Config, Pool
from radixproof.model.verdict import Breach

_FOLDER = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
)
_TEMPLATES.filters.update(comment=layout.comment, indented=layout.indented)
HELPERS = (
    "device_indices",
    "alloc",
    "insert",
    "free",
    "release_swa",
    "load_back",
    "poll",
    "first_state",
    "arrived",
    "compute",
    "track",
    "slide",
    "carry_on",
    "end",
    "release_swa_of",
)
"""Functions that a file has if it calls them: what SGLang's scheduler does in several calls, or
releases do differently. In the order in which they stand; each is a template in ``helpers``.
"""


FETCHES = (HostInsert, Prefetch)
"""What brings KV from storage."""


class Written(NamedTuple):
    """One step of the test."""

    title: str
    statements: list[str]


def render(
    history: History,
    breach: Breach,
    version: str,
    notes: Sequence[str] = (),
    seen: Seen = NOTHING_SEEN,
    calls: Sequence[Sequence[Call]] = (),
    core: str | None = PYTHON,
    script: bool = False,
) -> str:
    """Source of the file. ``breach`` was seen at the last operation of ``history``.

    ``version`` and ``core`` are the release of SGLang that it was found in, and its core; the file
    runs on that release and all later ones. Without a core it takes that which SGLang gives it. Of
    each operation, ``notes`` say what it did, and ``calls`` are those that were made for it: a
    request is written as they are. A ``script`` is run by itself, and on all releases. Raises
    `Unwritable` if no such file can show the breach.
    """
    _check_writable(history, calls)
    since = _since(OLDEST if script else version)
    asserted = assertion(history, breach, seen, core, since("0.5.17"), _needed(calls))
    config = history.config
    limited = _is_limited(config, history.operations, calls)
    held = _since(version)("0.5.21")
    copies = any(isinstance(one, RunCopies) for one in history.operations)
    statements = Statements(config, asserted.filled, limited, held, copies=copies)
    steps = _written(history, notes, calls, statements)
    lines = [line for step in steps for line in step.statements]
    text = "\n".join((*lines, *asserted.before, *asserted.after))
    if config.window is not None and not since("0.5.18") and _calls(text, "carry_on"):
        text += "\nslide()"  # a helper of a helper
    body = _TEMPLATES.get_template("test.py.j2").render(
        name=re.sub(r"[^a-z0-9]+", "_", breach.signature.lower()).strip("_"),
        config=config,
        window=config.window is not None,
        hybrid=len(config.components) > 1,
        inserts="storage.host_insert(" in text,
        prefetches="storage.prefetch(" in text,
        page=config.page_size,
        lazily=config.track_lazily,
        core=core,
        script=script,
        since=since,
        held=held,
        helpers=[f"helpers/{name}.py.j2" for name in HELPERS if _calls(text, name)],
        flagged=config.window is not None and (config.bigram or config.page_size > config.window),
        needs=_needs(config, asserted, text, limited),
        steps=steps,
        asserted=asserted,
        ending=layout.shortened(asserted.after),
        beginning=layout.shortened(asserted.before),
    )
    body = layout.fitted(body)
    text = layout.docstring(breach, version, script)
    return layout.fitted(f"{text}\n\n{imported(body, since)}\n\n{body}")


def _since(version: str) -> Callable[[str], bool]:
    """Whether what came with a release is in ``version``, and so in all that the file runs on."""
    return lambda release: version_key(version) >= version_key(release)


def _calls(text: str, name: str) -> bool:
    return re.search(rf"(?<![.\w]){name}\(", text) is not None


def _check_writable(history: History, calls: Sequence[Sequence[Call]]) -> None:
    for number, operation in enumerate(history.operations):
        if getattr(operation, "launched", False):
            raise Unwritable("a forward pass that runs later is not written")
        if isinstance(operation, Requested) and number < len(calls):
            continue
        if isinstance(operation, FETCHES) and history.config.bigram:
            raise Unwritable("what is fetched is written for tokens alone")
        if isinstance(operation, Prefetch) and operation.key.namespace:
            raise Unwritable("what is fetched bit by bit is written for the one namespace")
        if isinstance(operation, Prefetch) and operation.stored is not None:
            raise Unwritable("what storage has a part of is not written")
        if type(operation) not in WRITTEN:
            raise Unwritable(f"{operation.name!r} is not written in SGLang's own calls yet")


def _needed(calls: Sequence[Sequence[Call]]) -> int | None:
    """The tokens that the last step made room for, if it did."""
    made = [call for call in calls[-1] if call.method == "make_room"] if calls else []
    return made[-1].arguments[1] if made else None


def _written(
    history: History,
    notes: Sequence[str],
    calls: Sequence[Sequence[Call]],
    statements: Statements,
) -> list[Written]:
    requests = Requests(history.config, statements.alloc)
    steps = []
    ran = {one.rank for one in history.operations if isinstance(one, RunCopies)}
    for number, operation in enumerate(history.operations):
        if isinstance(operation, RunCopies) and operation.rank != min(ran):
            continue  # the file has one rank, that whose copies run
        lines = (
            requests.of(operation.request, calls[number])
            if isinstance(operation, Requested)
            else statements.of(operation)
        )
        note = f": {notes[number]}" if number < len(notes) and notes[number] else ""
        steps.append(Written(f"{number + 1}. {operation}{note}", layout.shortened(lines)))
    return _without_unused_receipts(steps)


def _without_unused_receipts(steps: Sequence[Written]) -> list[Written]:
    """A lock that nobody gives back needs no name for its receipt."""
    text = "\n".join(line for step in steps for line in step.statements)

    def plain(line: str) -> str:
        name, assigns, call = line.partition(" = ")
        unused = name.startswith("receipt_") and len(re.findall(rf"\b{name}\b", text)) == 1
        return call.removesuffix(".to_dec_params()") if assigns and unused else line

    return [Written(step.title, [plain(line) for line in step.statements]) for step in steps]


def _needs(config: Config, asserted: Assertion, text: str, limited: bool) -> dict[str, Any]:
    """What the file needs beyond the configuration itself. ``text`` is that of its steps."""
    return {
        "described": _described(config),
        "components": _tuple(config),
        "namespace": "extra_key=" in text,
        "find": "find(" in text,
        "content": _buffer(config, asserted.filled),
        "full_slots": config.slots(Pool.FULL),
        "swa_slots": config.slots(Pool.SWA),
        "host_ratio": _host_ratio(config) if config.hosted else 2,
        "limits": host_limits(config) if limited else [],
        "allocates": "allocator" in text or _calls(text, "alloc") or _calls(text, "free"),
        "loads": len(re.findall(r"^load_back\(", text, re.MULTILINE)),
        "quota": "mem_quota=" in text,
        "late": "load_back(found=" in text,
        "evicted": "evicted=" in text,
        "inserted": "inserted=" in text,
        "states": config.slots(Pool.MAMBA),
        "uses_states": "states." in text or _calls(text, "first_state") or "state=" in text,
        "tells_states": "state=" in text,
        "events": asserted.announced,
        "copies": asserted.filled is Component.MAMBA,
        "requests": _calls(text, "arrived"),
        "strips": "prompt_only=" in text,
        "stops": "past_stop=" in text,
        "fills_own": asserted.filled is Component.MAMBA
        and config.page_size == 1
        and ("prompt_only=" in text or "past_stop=" in text),
        "fills_tracked": asserted.filled is Component.MAMBA and _calls(text, "track"),
        "others": "prev_prefix_len=" in text or _has_priority("insert", text),
        "urgent": _has_priority("arrived", text),
    }


def _has_priority(call: str, text: str) -> bool:
    """Whether anything is called so with a priority."""
    return re.search(rf"\b{call}\(.*priority=", text) is not None


def _tuple(config: Config) -> str:
    """The items of the tuple of components."""
    names = [f"ComponentType.{one.name}" for one in config.components]
    return ", ".join(names) if len(names) > 1 else f"{names[0]},"


def _described(config: Config) -> str:
    """The configuration in words."""
    window, full = config.window, f"{config.slots(Pool.FULL)} slots"
    states = f" and {config.mamba_states} states" if config.mamba_states else ""
    parts = f"A cache with {full}{' of FULL' if states else ''}{states}"
    if window is not None:
        swa = f"{config.slots(Pool.SWA)} of SWA (window {window})"
        parts = f"A cache with {full} of FULL{',' if states else ' and'} {swa}{states}"
    if not config.hosted:
        return f"{parts}, without a host tier."
    return f"{parts}, that writes {'back' if config.write_back else 'through'} to the host."


def _is_limited(
    config: Config, operations: Sequence[Operation], calls: Sequence[Sequence[Call]]
) -> bool:
    """Whether the host pools may get full: never more is on the host than came."""
    keys = [one.key for one in operations if isinstance(one, (Insert, *FETCHES))]
    made = [call for calls_of_step in calls for call in calls_of_step]
    keys += [call.arguments[0] for call in made if call.method == "insert"]
    keys += [call.arguments[1] for call in made if call.method == "compute"]
    inserted = sum(len(key.units(config.bigram)) // config.page_size for key in keys)
    return config.hosted and any(
        inserted > config.pages(HOST[component]) for component in config.components
    )


def _host_ratio(config: Config) -> float:
    """Host pages per device page, rounded up, enough for every pool."""
    ratios = [
        config.pages(HOST[component]) / config.pages(DEVICE[component])
        for component in config.components
    ]
    return max(1.0, *(math.ceil(ratio * 10) / 10 for ratio in ratios))


def _buffer(config: Config, filled: Component | None) -> str:
    """The keys of the only layer of a component; of MAMBA the state."""
    if filled is None:
        return ""
    if filled is Component.MAMBA:
        return "rows.mamba_pool.mamba_cache.temporal[0]"
    alone = config.components == (Component.FULL,)
    pool = "pool" if alone else f"pool.{filled.name.lower()}_kv_pool"
    return f"{pool}.k_buffer[0]"
