"""A long history cut down: first what a trace has too much of, then as any history.

A run of a whole trace takes seconds to minutes, so that the first cuts are coarse: by conversation,
which is what prompts that begin alike belong to, and then by time. The whole is only run if
everything in it matters. Until the rest is short the system is looked at as in a search; a shortest
history is then found, and judged, with every step looked at.
"""

from __future__ import annotations

from collections import deque
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

    def fails(candidate: History) -> bool:
        return run_history(target, candidate, signature.__ne__, every=None) is not None

    now = Shrinking(history, fails, tell, calls=10_000, stop=lambda: False)
    without_conversations(now)
    if now.best is history and not fails(history):
        return None
    last_ones(now)
    without_stretches(now, patience=3 if len(now.operations) > SHORT else inf)
    origin = {**history.origin, "system": target.name, "signature": signature}
    best = replace(now.best, origin=origin)
    if run_history(target, best, signature.__ne__) is None:
        return minimise(best, fails, tell)
    return shrink(target, best, lambda _, left: tell(left))


def without_conversations(now: Shrinking) -> None:
    """Leave out all that is about prompts with one beginning: halves of the conversations, and
    halves of the halves that stay. Large ones come first, so that a run is soon a short one.
    """
    bigram = now.best.config.bigram
    talks = list(dict.fromkeys(_conversation(one, bigram) for one in now.operations))
    left = deque([[talk for talk in talks if talk is not None]])
    while left:
        some = left.popleft()
        dropped = frozenset(some)
        if now.accepts_operations(
            one for one in now.operations if _conversation(one, bigram) not in dropped
        ):
            continue
        if len(some) > 1:
            half = len(some) // 2
            left += [some[:half], some[half:]]


def _conversation(operation: Operation, bigram: bool) -> tuple[str, int] | None:
    """What the prompt of an operation begins with; None if it has none. As pairs of neighbours, all
    prompts that were rebuilt have one first token.
    """
    key = getattr(operation, "key", None)
    if not isinstance(key, Key) or len(key.tokens) <= bigram:
        return None
    return key.namespace, key.tokens[bigram]
