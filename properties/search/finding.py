"""From a history that broke something to a finding: its first bad step, and a shortest history."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach, Property
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.run import Verdict, ran, run_history
from radixproof.properties.search.minimise import Fails, minimise
from radixproof.properties.search.repeating import did_not_come_again, differs, shrunk


class Against(NamedTuple):
    """A system of which a signature is known, and which has nothing of it in a history."""

    system: str
    parting: int
    """The first step, from 0, in which the two differ."""
    there: str = ""
    """What it shows in that step."""


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
    shrunk: bool = True
    """Whether the history is a shortest one; False if time was up before."""
    against: Against | None = None
    """What it was compared with, if its signature is known of that."""

    @property
    def signature(self) -> str:
        return self.verdict.breach.signature


def settle(
    target: Target,
    history: History,
    breach: Breach,
    known: Collection[str],
    on_progress: Callable[[str, int], None],
    stop: Callable[[], bool] = lambda: False,
) -> Finding | None:
    """The finding in a history with a ``breach``, by strict replay and shrinking.

    None if strict replay shows that the breach is known, or the consequence of something known: no
    model could go on after that, or it is what strict replay sees where a search sees the breach.
    If the shortest history fails in a new way before it reaches this one, that way is the finding:
    the other follows from it. When ``stop`` says so, the history is left as short as it is by then.
    """
    every: int | None = 1
    verdict, met, ended = ran(target, history, known.__contains__, every)
    if ended or breach.signature in met:
        return None
    if verdict is None:
        # Only the search saw it, with its own deltas and inspections: replay with these.
        every = None
        verdict = _as_searched(target, history, known)
        if verdict is not None and met:
            return None
    if verdict is None or (not stop() and differs(target, history) is not None):
        return _unrepeatable(target, history, breach, known, on_progress, stop)
    signature = verdict.breach.signature
    fails = _failing(target, signature, every)
    start = replace(history, operations=history.operations[: verdict.step + 1])
    smallest = minimise(
        start if fails(start) else history,
        fails,
        lambda left: on_progress(signature, left),
        stop=stop,
    )
    last = run_history(target, smallest, lambda other: other != signature, every) or verdict
    if set(last.earlier) - {*known, signature}:
        return settle(target, smallest, last.breach, {*known, signature}, on_progress, stop)
    return Finding(smallest, last, 0, "", 0, history, shrunk=not stop())


def _as_searched(target: Target, history: History, known: Collection[str]) -> Verdict | None:
    """Replay as a search runs its histories: it looks at the whole once more somewhere, before it
    ends what is open.
    """
    passed_over = frozenset(known)
    for looked in range(len(history.operations)):
        verdict = run_history(target, history, passed_over.__contains__, None, looked)
        if verdict is not None:
            return verdict
    return None


def _unrepeatable(
    target: Target,
    history: History,
    breach: Breach,
    known: Collection[str],
    on_progress: Callable[[str, int], None],
    stop: Callable[[], bool],
) -> Finding | None:
    """The finding in a history that does not go the same way twice; None if that is known."""
    seen = differs(target, history)
    if seen is None:
        alone = did_not_come_again(history, breach)
        return _new(Finding(history, alone, 0, "", 0, history), known)
    if seen.breach.signature in known:
        return None
    smallest, last = shrunk(target, history, seen, on_progress, stop)
    return Finding(smallest, last, 0, "", 0, history, shrunk=not stop())


def _new(finding: Finding, known: Collection[str]) -> Finding | None:
    return None if finding.signature in known else finding


class NothingFails(ValueError):
    """There is nothing to shrink: the history is clean on this system."""


def failure(target: Target, history: History) -> Verdict:
    """What is wrong with a history: that it does not go the same way twice; or what its origin
    says, if that is still so; or else its first breach. Raises `NothingFails`.
    """
    named = history.origin.get("signature")
    verdict = differs(target, history)
    if verdict is None and named is not None:
        verdict = run_history(target, history, lambda other: other != named)
    verdict = verdict or run_history(target, history)
    if verdict is None:
        raise NothingFails(
            f"nothing is wrong with this history on {target.name}, so there is nothing to shrink"
        )
    return verdict


def shrink(
    target: Target,
    history: History,
    on_progress: Callable[[str, int], None] = lambda *_: None,
) -> History:
    """A shortest history that fails on ``target`` in the same way; its origin says how.

    The way is the signature in the history's origin if it still fails so, else its first breach.
    Raises `NothingFails`.
    """
    verdict = failure(target, history)
    signature = verdict.breach.signature
    if verdict.breach.violates is Property.REPEAT:
        smallest, _ = shrunk(target, history, verdict, on_progress)
    else:
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
