"""What a cache is in the middle of, read from the model and the ledger before a step."""

from __future__ import annotations

from collections.abc import Iterable

from radixproof.impl.operations import LoadBack, Refuse
from radixproof.impl.sabotage.planting import EVERY, THROUGH, Kind, Policy, Situation
from radixproof.model.config import DEVICE, HOST, Pool
from radixproof.properties.performing.outcomes import Done, Skipped
from radixproof.properties.performing.step import Step
from radixproof.properties.running.run import Run

RECENT = 8
"""Steps that a refusal counts for."""
BUSY = (Situation.LOCKS, Situation.LOADING, Situation.BACKING_UP)
"""A cache is idle if it is in none of these."""
_HAVE: dict[Situation, tuple[Policy, ...]] = {
    Situation.LOADING: tuple(policy for policy in EVERY if policy is not Policy.NO_HOST),
    Situation.BACKING_UP: THROUGH,
    Situation.HOST_FULL: tuple(policy for policy in EVERY if policy is not Policy.NO_HOST),
}
"""Situations that there are under some policies only. Under write_back an eviction waits for its
backups (semantics 7.8), and nothing else makes any.
"""


def of(run: Run) -> tuple[Situation, ...]:
    """The situations that hold now, but for those about ranks."""
    found = [situation for situation, holds in _holding(run) if holds]
    if not any(situation in BUSY for situation in found):
        found.insert(0, Situation.IDLE)
    return tuple(found)


def _holding(run: Run) -> Iterable[tuple[Situation, bool]]:
    model, ledger = run.judge.model, run.ledger
    flying = {copy.load for copy in model.copies.flying}
    full = {pool for pool in run.config.pools if model.trie.free(pool) < model.config.unit(pool)}
    yield Situation.LOCKS, not ledger.idle
    yield Situation.LOADING, True in flying
    yield Situation.BACKING_UP, False in flying
    yield Situation.HOST_FULL, Pool.FULL_HOST in full
    yield Situation.SHORT, any(len(full.intersection(tier)) > 1 for tier in (DEVICE, HOST))
    yield Situation.REFUSED, any(_refused(step) for step in run.steps[-RECENT:])


def _refused(step: Step) -> bool:
    """Whether there was no room, or an allocation was made to fail."""
    if isinstance(step.operation, Refuse) or step.refused:
        return True
    if isinstance(step.operation, LoadBack):
        return step.outcome == Done(0)
    return isinstance(step.outcome, Skipped) and "room" in step.outcome.reason


def possible(kind: Kind, policy: Policy) -> tuple[Situation, ...]:
    """The situations in which a kind of sabotage can be done under a policy; each is a cell."""
    if policy not in kind.policies or any(
        policy not in _HAVE.get(one, EVERY) for one in kind.needs
    ):
        return ()
    return tuple(
        one
        for one in Situation
        if policy in _HAVE.get(one, EVERY)
        and not (one is Situation.IDLE and any(need in BUSY for need in kind.needs))
    )
