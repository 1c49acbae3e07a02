"""A finding of SGLang as a pytest file with SGLang's own calls in it, and nothing of ours."""

from __future__ import annotations

from radixproof.impl import registry
from radixproof.impl.operations import History, Insert, Match, Operation
from radixproof.impl.sglang.names import core_in, version_in
from radixproof.impl.sglang.paste.assertions import Found, Seen, Unwritable
from radixproof.impl.sglang.paste.render import render
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Crashed, Matched, Outcome, Skipped
from radixproof.properties.performing.performer import Performer
from radixproof.properties.reporting.effects import effects
from radixproof.properties.reporting.narrate import narrate
from radixproof.properties.reporting.recording import Recording


def source(system: str, history: History, signature: str, breach: Breach | None = None) -> str:
    """The source of the file: the history is run once more, and what was done is written.

    The ``system`` is a release of SGLang. The ``breach`` is the first with this signature, unless
    one is given. Operations that were skipped are left out. Raises `Unwritable`, and `Unavailable`
    if the release cannot be run.
    """
    recording = Recording(registry.find(system))
    told = narrate(recording.target, history, signature, recording.next_step)
    breach = breach or told.breach
    if breach is None:
        raise Unwritable("it does not come again when every step is looked at")
    steps = list(zip(told.steps, history.operations, effects(told), recording.steps, strict=False))
    done = [
        (_performed(operation, outcome), note, calls)
        for (_, outcome), operation, note, calls in steps
        if not isinstance(outcome, Skipped)
    ]
    performed = History(history.config, tuple(operation for operation, _, _ in done))
    return render(
        performed,
        breach,
        version_in(system),
        [note for _, note, _ in done],
        Seen(told.before, told.after, *_found(registry.find(system), performed, breach)),
        [calls for _, _, calls in done],
        core_in(system),
    )


def _found(target: Target, history: History, breach: Breach) -> tuple[Found | None, Found | None]:
    """What a match of the witness's prefix finds before the last step, and after it.

    It is asked in runs of its own, since a match changes what comes after it.
    """
    if breach.witness is None or not history.operations:
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
    """The operation as it was performed: an insert that finds no room has only looked up."""
    return (
        Match(operation.key)
        if isinstance(operation, Insert) and isinstance(outcome, Matched)
        else operation
    )
