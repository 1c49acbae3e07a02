"""From a history that broke something to a finding: its first bad step, and a shortest history."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.run import Verdict, run_history
from radixproof.properties.search.minimise import Fails, minimise


@dataclass(frozen=True, slots=True)
class Finding:
    """A shortest history for one signature, and where it came from."""

    history: History
    verdict: Verdict
    seed: int | None
    """None where a test drew as it liked."""
    driver: str
    at_step: int
    """Steps that the search had judged when it found this."""
    original: History

    @property
    def signature(self) -> str:
        return self.verdict.breach.signature


def settle(
    target: Target,
    history: History,
    breach: Breach,
    known: Collection[str],
    on_progress: Callable[[str, int], None],
) -> Finding | None:
    """The finding in a history with a ``breach``, by strict replay and shrinking.

    None if strict replay shows that the breach is the consequence of something known, after which
    no model could go on. If the shortest history fails in a new way before it reaches this one,
    that way is the finding: the other follows from it.
    """
    every: int | None = 1
    verdict = run_history(target, history, known.__contains__, every)
    if verdict is None:
        if run_history(target, history, lambda _: False, every) is not None:
            return None
        # Only the search saw it, with its own deltas and inspections: replay with these.
        every = None
        verdict = run_history(target, history, known.__contains__, every) or Verdict(
            breach, len(history.operations) - 1
        )
    signature = verdict.breach.signature
    fails = _failing(target, signature, every)
    start = replace(history, operations=history.operations[: verdict.step + 1])
    smallest = minimise(
        start if fails(start) else history, fails, lambda left: on_progress(signature, left)
    )
    last = run_history(target, smallest, lambda other: other != signature, every) or verdict
    if set(last.earlier) - {*known, signature}:
        return settle(target, smallest, last.breach, {*known, signature}, on_progress)
    return Finding(smallest, last, 0, "", 0, history)


class NothingFails(ValueError):
    """There is nothing to shrink: the history is clean on this system."""


def shrink(
    target: Target,
    history: History,
    on_progress: Callable[[str, int], None] = lambda *_: None,
) -> History:
    """A shortest history that fails on ``target`` in the same way; its origin says how.

    The way is the signature in the history's origin if it still fails so, else its first breach.
    Raises `NothingFails`.
    """
    named = history.origin.get("signature")
    verdict = run_history(target, history, lambda other: other != named) if named else None
    verdict = verdict or run_history(target, history)
    if verdict is None:
        raise NothingFails(
            f"nothing is wrong with this history on {target.name}, so there is nothing to shrink"
        )
    signature = verdict.breach.signature
    fails = _failing(target, signature)
    smallest = minimise(history, fails, lambda left: on_progress(signature, left))
    origin = {**history.origin, "system": target.name, "signature": signature}
    return replace(smallest, origin=origin)


def _failing(target: Target, signature: str, every: int | None = 1) -> Fails:
    """Tells whether a history fails on ``target`` with a signature, if it can be built at all."""

    def fails(candidate: History) -> bool:
        if not fits(candidate, target.scope):
            return False
        return run_history(target, candidate, lambda other: other != signature, every) is not None

    return fails
