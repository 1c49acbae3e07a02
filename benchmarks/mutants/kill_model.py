"""What kills mutants of the model, besides its own tests (`tests/model`).

A rule that says too much is contradicted by our own implementation: under the soak, and in small
scopes, all of them, where the model by itself has to come to the same. A rule that says too little
lets a planted bug pass: the shortest history of each is replayed, and reported in the same words.
Or it lets a single wrong step pass in the middle of a long history: nothing that shows may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from radixproof.impl import registry
from radixproof.model.verdict import Property
from radixproof.properties.exploring.explorer import Reached
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.sweep import longer
from radixproof.properties.histories import corpus
from radixproof.properties.running.run import Run, ends, run_history
from radixproof.properties.sensitivity.cells import MISSED
from radixproof.properties.sensitivity.scouting import scout
from radixproof.properties.sensitivity.trying import attempt

STEPS = 6_000
LENGTH = 2
"""Operations of the histories that are explored."""
SEED = 1
STORIES = 40
TRIED = 30
"""Sabotages of each story, at most: drawn by lot, those that change nothing among them."""
QUOTING = {Property.NOCRASH, Property.RANK}
"""Whose breaches quote the system, which may say ``None``."""


def test_the_soak_finds_nothing(soak: Callable[[int], None]) -> None:
    soak(STEPS)


def test_small_scopes_are_clean(part_done: Callable[[], None]) -> None:
    radix = registry.find("radix")
    for scope in SCOPES.values():
        reached = Reached()
        for _ in range(LENGTH):
            for one in longer(radix, scope, reached):
                assert not one.broken
                assert not one.otherwise
                part_done()


def test_planted_bugs_are_found(part_done: Callable[[], None]) -> None:
    for entry in _planted():
        verdict = run_history(registry.find(entry.system), entry.history)
        assert verdict is not None, entry.name
        assert verdict.breach.signature == entry.history.origin["signature"], entry.name
        part_done()


def test_what_was_not_expected_is_taken_in(part_done: Callable[[], None]) -> None:
    """After a breach that the model can go on after, it has what was seen, and nothing else."""
    for entry in _planted():
        run = Run(registry.find(entry.system), entry.history.config, every=1)
        for operation in entry.history.operations:
            breaches = run.step(operation)
            said = [one.text for one in breaches if one.violates not in QUOTING]
            assert not [text for text in said if "None" in text], entry.name
            if any(map(ends, breaches)):
                break
            seen, known = run.judge.abstraction, run.judge.model.trie.recency
            there = [page for placed in seen.nodes.values() for page in placed.pages]
            assert set(there) == set(known), entry.name
            assert all(page.resident_in == seen.resident_in(page) for page in there), entry.name
        run.close()
        part_done()


@pytest.mark.parametrize("number", range(STORIES))
def test_no_sabotage_is_missed(number: int, part_done: Callable[[], None]) -> None:
    possible = scout(SEED, number)
    for one in Random(number).sample(possible, min(TRIED, len(possible))):
        part_done()
        assert attempt(one).verdict != MISSED, str(one)


def _planted() -> Iterator[corpus.Entry]:
    for entry in corpus.read(corpus.FOLDER):
        if registry.planted_in(entry.system):
            yield entry
