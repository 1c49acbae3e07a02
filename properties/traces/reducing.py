"""A long history cut down: first what a trace has too much of, then as any history.

A run of a whole trace takes seconds to minutes, so that the first cuts are coarse: by time, and by
conversation, which is what prompts that begin alike belong to. Until the rest is short the system
is looked at as in a search; a shortest history is then found, and judged, with every step looked
at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

from radixproof.impl.operations import History, Operation
from radixproof.impl.system import Target
from radixproof.model.key import Key
from radixproof.properties.running.run import run_history
from radixproof.properties.search.finding import shrink
from radixproof.properties.search.minimise import minimise
from radixproof.properties.search.minimise.best import Shrinking
from radixproof.properties.search.minimise.fewer_operations import last_ones, without_stretches

SHORT = 2_000
"""Operations of a history that is shrunk as any other."""


def reduce(
    target: Target,
    history: History,
    signature: str,
    tell: Callable[[int], None] = lambda _: None,
) -> History | None:
    """A shortest history that fails on ``target`` with ``signature``; None if this one does not.

    If none fails so with every step looked at, it is a shortest one that does as a search looks.
    """
    verdict = run_history(target, history, signature.__ne__, every=None)
    if verdict is None:
        return None

    def fails(candidate: History) -> bool:
        return run_history(target, candidate, signature.__ne__, every=None) is not None

    cut = replace(history, operations=history.operations[: verdict.step + 1])
    again = verdict.step + 1 == len(history.operations) or fails(cut)
    now = Shrinking(cut if again else history, fails, tell, calls=10_000, stop=lambda: False)
    last_ones(now)
    without_stretches(now, patience=3)
    without_conversations(now)
    without_stretches(now, patience=3 if len(now.operations) > SHORT else inf)
    origin = {**history.origin, "system": target.name, "signature": signature}
    best = replace(now.best, origin=origin)
    if run_history(target, best, signature.__ne__) is None:
        return minimise(best, fails, tell)
    return shrink(target, best, lambda _, left: tell(left))


def without_conversations(now: Shrinking) -> None:
    """Leave out all that is about prompts with one beginning: halves of the conversations, and
    halves of the halves that stay.
    """
    talks = list(dict.fromkeys(map(_conversation, now.operations)))
    left = [[talk for talk in talks if talk is not None]]
    while left:
        some = left.pop()
        dropped = frozenset(some)
        if now.accepts_operations(
            one for one in now.operations if _conversation(one) not in dropped
        ):
            continue
        if len(some) > 1:
            half = len(some) // 2
            left += [some[:half], some[half:]]


def _conversation(operation: Operation) -> tuple[str, int] | None:
    """What the prompt of an operation begins with; None if it has none."""
    key = getattr(operation, "key", None)
    if not isinstance(key, Key) or not key.tokens:
        return None
    return key.namespace, key.tokens[0]
