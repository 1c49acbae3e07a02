"""The minimiser: from a history that goes wrong to a shortest one that goes wrong in the same way.

It works on histories, not on random choices: any sub-list of operations is a history, so it may cut
anywhere. Each pass makes one kind of change wherever it can, going on from where it succeeded; the
passes take turns until none of them changes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import cycle

from radixproof.impl.operations import History
from radixproof.properties.search.minimise.best import Fails, OutOfCalls, Shrinking
from radixproof.properties.search.minimise.fewer_operations import (
    cut_short,
    inserting_instead,
    last_ones,
    looking_instead,
    matching_instead,
    part_instead,
    waiting_instead,
    without_kinds,
    without_single,
    without_stretches,
)
from radixproof.properties.search.minimise.plainer_configs import plainer_config
from radixproof.properties.search.minimise.plainer_operations import plainer_fields
from radixproof.properties.search.minimise.plainer_prompts import plainer_tokens, without_pages

CALLS = 1_000
"""Runs after which the best so far must do: a slow system must not shrink for ever.

Most histories need a tenth of that.
"""

COARSE = (
    cut_short,
    last_ones,
    partial(without_stretches, patience=3),
    without_kinds,
    inserting_instead,
    plainer_config,
    without_stretches,
)
"""First and once: while a history is long, runs are slow.

Where all of a history seems to be needed, plainer prompts or configurations may need less.
"""
PASSES = (
    without_single,
    without_kinds,
    waiting_instead,
    inserting_instead,
    part_instead,
    matching_instead,
    looking_instead,
    plainer_config,
    without_pages,
    plainer_fields,
    plainer_tokens,
)
"""Taken in turns, beginning with those that leave the least for the others."""


def minimise(
    history: History,
    fails: Fails,
    on_progress: Callable[[int], None] = lambda _: None,
    calls: int = CALLS,
    stop: Callable[[], bool] = lambda: False,
) -> History:
    """The plainest history found that still ``fails``, as ``history`` itself must.

    Nothing can be left out of it: no single operation, no single page of one prompt, no page at the
    same place of all prompts. If ``calls`` calls of ``fails`` run out, or ``stop`` says so, it is
    the best so far.
    ``on_progress`` is told how many operations are left.
    """
    now = Shrinking(history, fails, on_progress, calls, stop)
    with suppress(OutOfCalls):
        for change in COARSE:
            change(now)
        idle = 0
        for change in cycle(PASSES):
            before = now.best
            change(now)
            idle = idle + 1 if now.best is before else 0
            if idle == len(PASSES):
                break
    return now.best
