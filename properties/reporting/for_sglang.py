"""A finding of SGLang as a pytest file with SGLang's own calls in it, and nothing of ours."""

from __future__ import annotations

from radixproof.impl import registry
from radixproof.impl.operations import History, Insert, Match, Operation
from radixproof.impl.sglang.paste.assertions import Seen, Unwritable
from radixproof.impl.sglang.paste.render import render
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Matched, Outcome, Skipped
from radixproof.properties.reporting.effects import effects
from radixproof.properties.reporting.narrate import narrate
from radixproof.properties.reporting.recording import Recording


def source(version: str, history: History, signature: str, breach: Breach | None = None) -> str:
    """The source of the file: the history is run once more, and what was done is written.

    The ``breach`` is the first with this signature, unless one is given. Operations that were
    skipped are left out. Raises `Unwritable`, and `Unavailable` if the release cannot be run.
    """
    recording = Recording(registry.find(f"sglang=={version}"))
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
    return render(
        History(history.config, tuple(operation for operation, _, _ in done)),
        breach,
        version,
        [note for _, note, _ in done],
        Seen(told.before, told.after),
        [calls for _, _, calls in done],
    )


def _performed(operation: Operation, outcome: Outcome) -> Operation:
    """The operation as it was performed: an insert that finds no room has only looked up."""
    return (
        Match(operation.key)
        if isinstance(operation, Insert) and isinstance(outcome, Matched)
        else operation
    )
