"""What the death of a child has shown: a breach of NOCRASH in a history, or why there is none."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from radixproof.impl.operations import History
from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Breach, Property
from radixproof.properties.guarding.child import EXIT_CODE, HANG, Died
from radixproof.properties.judging.step_checks import crashed
from radixproof.properties.performing.outcomes import Crashed
from radixproof.properties.performing.step import Step
from radixproof.properties.running.journal import Death, Doing

FROM_OUTSIDE = tuple(
    signal.Signals(number).name
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
)
"""Signals that somebody else may have sent: the system itself, for want of memory; a person."""
_SIGNALS = frozenset(one.name for one in signal.Signals)
"""Those for real time are counted from the first of them: ``SIGRTMIN+6``."""


def death(system: str, died: Died) -> Death:
    """The death in a step of a history. Raises `Unavailable` if there was no such step."""
    history = died.history
    if died.doing is not Doing.STEP or history is None or not history.operations:
        raise Unavailable(_elsewhere(system, died))
    where = died.where or history.operations[-1].name
    return Death(history, Crashed(died.error, f"it {died.how}", where, fatal=True))


def breach(death: Death) -> Breach:
    operation = death.history.operations[-1]
    return crashed(Step(operation, death.outcome), death.outcome)


def is_fatal(breach: Breach) -> bool:
    """Whether a breach, of whatever process, is the death of one."""
    error = breach.rule.partition("@")[0]
    signalled = error.partition("+")[0] in _SIGNALS
    fatal = error == HANG or error.startswith(EXIT_CODE) or signalled
    return breach.violates is Property.NOCRASH and fatal


def as_death(history: History, breach: Breach) -> Death:
    """The death that a breach at the end of a history is."""
    error, _, where = breach.rule.partition("@")
    message = breach.text.removeprefix(f"{history.operations[-1]}: {error} in {where}: ")
    return Death(history, Crashed(error, message, where, fatal=True))


def too_many(system: str, deaths: Sequence[Death]) -> Unavailable:
    """Why a search is given up whose processes died too often."""
    names = ", ".join(sorted({each.outcome.error for each in deaths}))
    return Unavailable(
        f"{system} ended its process, or hung, {len(deaths)} times ({names}):"
        " the search was given up"
    )


def _elsewhere(system: str, died: Died) -> str:
    """What to say of a process that ended outside of any step."""
    how = f"{died.how} ({died.error})" if died.error.startswith("SIG") else died.how
    at = f" in {died.where}" if died.where else ""
    match died.doing:
        case Doing.STARTING:
            return f"{system} cannot be run: when it was imported and first built, it {how}{at}"
        case Doing.BUILDING if died.history is not None:
            built = f"built with {died.history.config}"
            return f"{system} cannot be run: when it was {built}, it {how}{at}"
        case Doing.CLOSING:
            return f"{system} cannot be run: when it was closed, it {how}{at}"
    if died.error == "closed-files":
        return f"{system} cannot be run: it {how}, among them those of radixproof"
    return (
        f"the process that ran {system} was ended ({died.error}) while no operation was in"
        " progress: by somebody else, by a thread that the system left running, or by radixproof"
    )
