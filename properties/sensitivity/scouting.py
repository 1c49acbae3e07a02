"""Where histories can be sabotaged: every occasion for every kind, with the situation it is in."""

from __future__ import annotations

from random import Random

from radixproof.impl.sabotage.planting import KINDS, Policy, Situation, scouted
from radixproof.model.config import Component
from radixproof.properties.running.run import Run
from radixproof.properties.sensitivity import situations
from radixproof.properties.sensitivity.cells import Sabotage
from radixproof.properties.sensitivity.stories import Astray, story

MOST_ALIKE = 2
"""Occasions of one history that are kept of those that differ in nothing but the step."""


def scout(seed: int, number: int) -> list[Sabotage]:
    """The sabotages that can be done in a history, chosen from all of them by lot."""
    history = story(seed, number).history
    policy, several = Policy.of(history.config), history.config.ranks > 1
    found: dict[tuple[str, Component, tuple[Situation, ...]], list[Sabotage]] = {}
    now: tuple[int, tuple[Situation, ...]] = (0, ())

    def note(kind: str, component: Component, at: int) -> None:
        step, held = now
        if policy not in KINDS[kind].policies or component not in KINDS[kind].components:
            return
        for alone in (False, True) if several else (False,):
            where = held
            if several:
                where = (Situation.ALONE,) if alone else (*held, Situation.RANKS)
            one = Sabotage(kind, component, policy, seed, number, step, at, alone, where)
            found.setdefault((kind, component, where), []).append(one)

    run = Run(scouted(note), history.config)
    try:
        for step, operation in enumerate(history.operations):
            now = step, situations.of(run)
            if breaches := run.step(operation):
                raise Astray(f"scouting {seed} {number}: {breaches[0].text}")
    finally:
        run.close()
    rng = Random(f"radixproof sabotage {seed} {number}")
    return [
        chosen
        for _, alike in sorted(found.items(), key=str)
        for chosen in rng.sample(alike, min(MOST_ALIKE, len(alike)))
    ]
