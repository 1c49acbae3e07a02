"""A finding of SGLang as a pytest file with SGLang's own calls in it, and nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from radixproof.impl import registry
from radixproof.impl.operations import (
    History,
    HostLock,
    Insert,
    Match,
    Operation,
    Prefetch,
    Requested,
)
from radixproof.impl.sglang.names import core_in, version_in
from radixproof.impl.sglang.paste.render import render
from radixproof.impl.sglang.paste.requests import Call
from radixproof.impl.sglang.paste.shown import Found, Seen, Unwritable
from radixproof.impl.system import Target
from radixproof.model.key import Key
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Crashed, Matched, Outcome, Skipped
from radixproof.properties.performing.performer import Performer
from radixproof.properties.reporting.effects import effects
from radixproof.properties.reporting.narrate import narrate
from radixproof.properties.reporting.recording import Recording


@dataclass(frozen=True, slots=True)
class Telling:
    """A history as it was performed, without what was skipped: what a file is written from."""

    history: History
    notes: list[str]
    calls: list[list[Call]]
    breach: Breach | None
    seen: Seen


def source(
    system: str,
    history: History,
    signature: str,
    breach: Breach | None = None,
    script: bool = False,
) -> str:
    """The source of the file: the history is run once more, and what was done is written.

    The ``system`` is a release of SGLang. The ``breach`` is the first with this signature, unless
    one is given. A ``script`` runs on all releases, and with any core, if what is wrong shows in
    what calls return. Raises `Unwritable`, and `Unavailable` if the release cannot be run.
    """
    told = _told(system, history, signature, breach)
    return _written(system, told, told, script)


def control(system: str, history: History, signature: str, other: History) -> str:
    """A script that performs another history, and asserts what that of ``history`` asserts."""
    return _written(
        system, _told(system, other, signature), _told(system, history, signature), True
    )


def _told(system: str, history: History, signature: str, breach: Breach | None = None) -> Telling:
    recording = Recording(registry.find(system))
    told = narrate(recording.target, history, signature, recording.next_step)
    breach = breach or told.breach
    steps = list(zip(told.steps, history.operations, effects(told), recording.steps, strict=False))
    done = [
        (_performed(operation, outcome), note, calls)
        for (_, outcome), operation, note, calls in steps
        if not isinstance(outcome, Skipped) or (isinstance(operation, Prefetch) and calls)
    ]
    performed = History(history.config, tuple(operation for operation, _, _ in done))
    found = _found(registry.find(system), performed, breach)
    made = [calls for _, _, calls in done]
    inserted = _inserted(performed, made)
    return Telling(
        performed,
        [note for _, note, _ in done],
        made,
        breach,
        Seen(told.before, told.after, *found, inserted),
    )


def _written(system: str, told: Telling, asserted: Telling, script: bool) -> str:
    """The steps of one history, and what is asserted of another, or of the same."""
    if asserted.breach is None:
        raise Unwritable("it does not come again when every step is looked at")
    of_core = partial(
        render,
        told.history,
        asserted.breach,
        version_in(system),
        told.notes,
        asserted.seen,
        told.calls,
        script=script,
    )
    if script:
        with suppress(Unwritable):
            return of_core(core=None)
    return of_core(core=core_in(system))


def _inserted(history: History, made: Sequence[Sequence[Call]]) -> Key | None:
    """What the last operation inserts: of a request that is carried, what it has computed."""
    last = history.operations[-1] if history.operations else None
    if isinstance(last, Insert):
        return last.key
    if not isinstance(last, Requested):
        return None
    steps = zip(history.operations, made, strict=True)
    computed = [
        call.arguments
        for operation, calls in steps
        if isinstance(operation, Requested) and operation.request == last.request
        for call in calls
        if call.method == "compute"
    ]
    if not computed:
        return None
    _, key, _, units = computed[-1]
    return Key(key.tokens[: units + history.config.bigram], key.namespace)


def _found(
    target: Target, history: History, breach: Breach | None
) -> tuple[Found | None, Found | None]:
    """What a match of the witness's prefix finds before the last step, and after it.

    It is asked in runs of its own, since a match changes what comes after it.
    """
    if breach is None or breach.witness is None or not history.operations:
        return None, None
    look = Match(breach.witness.prefix)
    return (
        _last(target, History(history.config, (*history.operations[:-1], look))),
        _last(target, History(history.config, (*history.operations, look))),
    )


def _last(target: Target, history: History) -> Found | None:
    """What the last operation finds, if it comes to that."""
    performer = Performer(target, history.config)
    try:
        for operation in history.operations:
            outcome = [step.outcome for step in performer.perform(operation)][-1]
            if isinstance(outcome, Crashed):
                return None
    finally:
        performer.close()
    return Found(outcome.device, outcome.best) if isinstance(outcome, Matched) else None


def _performed(operation: Operation, outcome: Outcome) -> Operation:
    """The operation as it was performed: an insert that finds no room has only looked up, and so
    has a host lock, or a prefetch, of what has no host copy.
    """
    return (
        Match(operation.key)
        if isinstance(operation, Insert | HostLock | Prefetch) and isinstance(outcome, Matched)
        else operation
    )
