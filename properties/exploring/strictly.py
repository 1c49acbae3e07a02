"""The model in its two ways of working: what it follows, and what it would do by itself.

Where a system does exactly what the rules say, as ours does, both come to the same.
"""

from __future__ import annotations

import pickle

from radixproof.impl.operations import Evict, EvictHost, Insert, LoadBack, Operation
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.trie import Amounts
from radixproof.properties.exploring.state_key import Described
from radixproof.properties.performing.outcomes import Inserted
from radixproof.properties.performing.step import Step
from radixproof.properties.running.run import Run

CHOICES = (Insert, Evict, EvictHost, LoadBack)
"""Operations in which a system has a choice, and the model by itself takes what is first."""


class Strictly:
    """The model as it was before an operation, by itself."""

    def __init__(self, run: Run, operation: Operation) -> None:
        self.run = run
        known = isinstance(operation, CHOICES) and not run.judge.model.refusing
        self.before = pickle.dumps(run.judge.model) if known else None

    def agrees(self) -> bool:
        """Whether it does the operation, which has been made, as it was followed. One that had
        several parts, or for which there was no room, is not compared.
        """
        first, *more = self.run.last_parts
        if self.before is None or more or not isinstance(first.operation, CHOICES):
            return True
        model: Cache = pickle.loads(self.before)
        _do(model, first)
        itself, followed = Described(model, True), Described(self.run.judge.model, True)
        return bool(itself.whole() == followed.whole())


def _do(model: Cache, step: Step) -> None:
    """The operation of a step, by the rules."""
    match step.operation:
        case Insert() as one:
            if one.reuse:
                model.match(one.key)
            protected = step.outcome.protected if isinstance(step.outcome, Inserted) else 0
            begun = model.insert(
                one.key, protected, one.evicted, one.state, one.priority, step.inserted
            )
            model.finish_insert(begun)
        case Evict(full, swa, mamba):
            model.evict(Amounts(full, swa, mamba))
        case EvictHost(tokens, component):
            model.evict_host(tokens, component)
        case LoadBack() as one:
            loading = model.load_back(model.match(one.key).best, one.quota)
            if not loading.refused:
                model.finish_load(loading)
