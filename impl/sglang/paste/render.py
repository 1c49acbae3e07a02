"""Write a finding as a pytest file with one test, which knows nothing of radixproof.

The file builds the cache of the history's configuration, performs each operation as the harness
does, and asserts what the witness of the breach says. Two differences: slots are not filled with
content, and where a history runs some copies, all are waited for. A history that cannot be written
this way becomes a file that says why, with its steps in words, and skips itself.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from radixproof.impl.operations import History, Insert, LoadBack, Lock, Match
from radixproof.impl.sglang.paste import layout, steps
from radixproof.impl.sglang.paste.trim import trimmed
from radixproof.impl.sglang.victims import Endless
from radixproof.model.config import DEVICE, HOST, Config, Pool
from radixproof.model.verdict import Breach, Property, Witness

_SHORT = re.compile(r"[\w:\[\] ]{,24}")
"""Prompts that a message repeats."""

_WITH_KEYS = (Insert, LoadBack, Lock, Match)
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
)
_TEMPLATES.filters.update(
    comment=layout.comment, prose=layout.prose, quoted=json.dumps, tokens=layout.tokens
)
_OPERATIONS: Any = _TEMPLATES.get_template("operations.j2").module


def render(history: History, breach: Breach, version: str) -> str:
    """Source of the file. ``breach`` was seen at the last operation of ``history``.

    ``version`` is the release of SGLang that it was found in.
    """
    about = {
        "breach": breach,
        "version": version,
        "name": re.sub(r"[^a-z0-9]+", "_", breach.signature.lower()).strip("_"),
    }
    planned = steps.planned(history, version)
    reason = _unwritable(history.config, planned)
    if reason:
        numbered = [f"{number}. {step}" for number, step in enumerate(history.operations, 1)]
        template = _TEMPLATES.get_template("skipped.py.j2")
        return template.render(about, reason=reason, steps=numbered)
    source = _TEMPLATES.get_template("test.py.j2").render(
        about,
        config=history.config,
        needs=_needs(history, breach.witness),
        steps=steps.written(planned, _OPERATIONS),
        ending=_ending(breach),
        witness=_described(breach.witness),
    )
    return layout.fitted(trimmed(source))


def _unwritable(config: Config, planned: Sequence[steps.PlannedStep]) -> str:
    """What no template can express of a history; empty if all of it can be."""
    for there, what in (
        (config.mamba_states > 0, "MAMBA"),
        (config.bigram, "bigram keys"),
        (config.ranks > 1, "several ranks"),
    ):
        if there:
            return f"caches with {what}"
    for step in planned:
        if step.reason is None and not hasattr(_OPERATIONS, step.operation.name):
            return f"the operation {step.operation.name!r}"
    return ""


def _needs(history: History, witness: Witness | None) -> dict[str, Any]:
    """What the file needs beyond the configuration itself."""
    config = history.config
    keys = [one.key for one in history.operations if isinstance(one, _WITH_KEYS)]
    keys += [] if witness is None else [witness.prefix]
    return {
        "namespace": any(key.namespace for key in keys),
        "full_slots": config.slots(Pool.FULL),
        "swa_slots": config.slots(Pool.SWA),
        "host_slots": [config.slots(pool) for pool in config.pools if pool.on_host],
        "host_ratio": _host_ratio(config),
        **_needs_of_loads(history),
        **_needs_of_inserts(history),
    }


def _needs_of_loads(history: History) -> dict[str, Any]:
    loads = [one for one in history.operations if isinstance(one, LoadBack)]
    return {"loads": len(loads), "quota": any(load.quota is not None for load in loads)}


def _needs_of_inserts(history: History) -> dict[str, Any]:
    """What the helper for inserts must be able to do."""
    config = history.config
    inserts = [one for one in history.operations if isinstance(one, Insert)]
    return {
        "evicted": any(insert.evicted for insert in inserts),
        "reuse": any(insert.reuse for insert in inserts),
        "priority": any(insert.priority for insert in inserts),
        "ragged": any(len(insert.key.tokens) % config.page_size for insert in inserts),
        "tight": _is_tight(history, [len(insert.key.tokens) for insert in inserts]),
    }


def _is_tight(history: History, lengths: Sequence[int]) -> bool:
    """Whether an insert of one of these lengths may lack room on the device."""
    config = history.config
    pages = sum(math.ceil(length / config.page_size) for length in lengths)
    room = min(config.pages(pool) for pool in config.pools if not pool.on_host)
    return pages > room or any(isinstance(one, LoadBack) for one in history.operations)


def _host_ratio(config: Config) -> float:
    """Host pages per device page, rounded up, enough for every pool."""
    ratios = [
        config.pages(HOST[component]) / config.pages(DEVICE[component])
        for component in config.components
    ]
    return max(1.0, *(math.ceil(ratio * 10) / 10 for ratio in ratios))


def _ending(breach: Breach) -> str:
    """How the file shows the breach; without a witness, by general checks alone."""
    if breach.violates is Property.NOCRASH:
        raised, _, _ = breach.rule.partition("@")
        return "endless" if raised == Endless.__name__ else "raises"
    if breach.witness is None:
        return "quiet" if breach.violates is Property.QUIESCE else "checked"
    for ending in ("kept", "locks", "held"):
        if getattr(breach.witness, ending) is not None:
            return ending
    raise ValueError(f"a witness says nothing: {breach.witness}")


def _described(witness: Witness | None) -> dict[str, Any]:
    """A witness in the words and names of the template."""
    if witness is None:
        return {}
    pool, prefix = witness.pool, str(witness.prefix)
    return {
        "says": witness,
        "key": witness.prefix,
        "prefix": prefix if _SHORT.fullmatch(prefix) else "the prefix",
        "component": pool.component.name,
        "tier": "host" if pool.on_host else "device",
        "value": "host_value" if pool.on_host else "value",
    }
