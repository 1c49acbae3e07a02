"""Mutated histories replayed on one system, in a process of its own: a process runs one release."""

from __future__ import annotations

from radixproof.impl.registry import find
from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Property
from radixproof.properties.histories.history_json import HistoryError, from_json
from radixproof.properties.running.run import run_history

from ..promised import promised
from .mutating import mutated, texts


def wrong_on(system: str, cases: range) -> str:
    """What the harness did wrong to a system, a line each, and how many histories were run."""
    files, target, wrong, ran = texts(), promised(find(system)), [], 0
    for number in cases:
        try:
            verdict = run_history(target, from_json(mutated(files, number)))
        except (HistoryError, Unavailable):
            continue
        except BaseException as error:
            wrong.append(f"{number}: {type(error).__name__}: {error}")
            continue
        ran += 1
        if verdict is not None and _is_ours(verdict.breach.violates, verdict.breach.text):
            wrong.append(f"{number}: {verdict.breach.text}")
    return "\n".join([*wrong, f"{ran} ran"])


def _is_ours(violated: Property, text: str) -> bool:
    """Whether a crash was in the handle on a system, and not in the system itself."""
    ours = ("Sglang", " ?", "Promised", "Transfers", "Content", "View")
    return violated is Property.NOCRASH and any(f"in {name}" in text for name in ours)
