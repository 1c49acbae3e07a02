"""The course of a search, with units made up: what comes next, and what may be used of what was
run ahead.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from radixproof.impl.operations import History
from radixproof.impl.scope import Scope
from radixproof.model.config import Config
from radixproof.model.verdict import Breach, Property
from radixproof.properties.coverage.milestones import Milestone
from radixproof.properties.coverage.reach import reachable
from radixproof.properties.drivers.machine import CHUNK
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.course import Ahead, Course, Settled
from radixproof.properties.search.units import CORPUS, MACHINE, SOAK, Broken, Kept, Ran, Unit

BUDGET = Budget(steps=100, examples=CHUNK + 20)
NOTHING = Counter[str]()
PLAIN = History(Config(), ())


def broken(tag: str) -> Broken:
    return Broken(PLAIN, Breach(Property.PIN, tag, "it was freed"))


def ran(*steps: int, tag: str = "") -> Ran:
    """Histories of so many steps, the last of them broken if there is a tag."""
    kept = [Kept(each) for each in steps]
    if tag:
        kept[-1] = replace(kept[-1], broken=broken(tag))
    return Ran(tuple(kept), NOTHING)


def course(budget: Budget = BUDGET, stored: int = 0, known: tuple[str, ...] = ()) -> Course:
    return Course(Scope(), budget, stored, known)


def followed(one: Course, *results: Ran) -> list[Unit | None]:
    """The units whose turn it is before each result, and after the last."""
    units = [one.unit]
    for result in results:
        one.add(result)
        units.append(one.unit)
    return units


def test_the_corpus_then_chunks_of_the_machine_then_the_soak() -> None:
    one = course(stored=2)
    chunk, rest = ran(*[1] * CHUNK), ran(*[1] * 20)
    assert followed(one, ran(3), ran(), chunk, rest, ran(9)) == [
        Unit(CORPUS, 0),
        Unit(CORPUS, 1),
        Unit(MACHINE, 0, CHUNK),
        Unit(MACHINE, 1, 20),
        Unit(SOAK, 0),
        None,
    ]
    examples = CHUNK + 20
    assert (one.progress.steps, one.progress.histories) == (3 + examples + 9, 1 + examples + 1)
    assert one.progress.complete


def test_the_budget_is_one_of_steps_beside_those_of_the_corpus() -> None:
    one = course(Budget(steps=100, examples=0), stored=1)
    assert followed(one, ran(500), ran(60), ran(39), ran(1))[-2:] == [Unit(SOAK, 2), None]


def met(*milestones: Milestone, steps: int = 100) -> Ran:
    return Ran((Kept(steps, milestones=Counter(milestones)),), NOTHING)


GOES_ON = Budget(steps=200, examples=0, demand=100, more=300)


def test_a_search_goes_on_for_milestones_until_all_are_met() -> None:
    one = course(GOES_ON)
    *some, last = reachable(Scope())
    followed(one, met(*some), met(*some), met(*some))
    assert (one.unit, one.progress.complete) == (Unit(SOAK, 3), False)
    assert len(list(one.ahead())) == 2, "as many as the steps that are left have room for"
    one.add(met(last))
    assert (one.unit, one.progress.complete) == (None, True)


def test_a_search_goes_on_for_milestones_only_so_far() -> None:
    one = course(GOES_ON)
    assert followed(one, *5 * [met()])[-2:] == [Unit(SOAK, 4), None]
    assert one.progress.complete


def test_a_search_that_found_something_does_not_go_on() -> None:
    one = course(GOES_ON)
    one.add(ran(1, tag="freed"))
    one.settled(Settled("PIN/freed", NOTHING))
    assert followed(one, met(), met())[-1] is None


def test_a_unit_that_found_something_is_run_again_with_that_as_known() -> None:
    one = course()
    assert one.add(ran(5, 6, tag="freed")) == broken("freed")
    assert (one.at_step, one.progress.steps) == (11, 0)
    one.settled(Settled("OWN/lost", NOTHING))
    assert one.unit == Unit(MACHINE, 0, CHUNK)
    assert one.add(ran(*[1] * CHUNK)) is None
    assert (one.unit, one.progress.steps, one.at_step) == (Unit(MACHINE, 1, 20), CHUNK, CHUNK)


def test_a_chunk_that_ended_early_leaves_the_rest_of_its_examples_to_the_next_ones() -> None:
    one = course()
    one.add(ran(5, 5, tag="consequence"))
    one.settled(Settled(None, NOTHING))
    assert one.unit == Unit(MACHINE, 1, CHUNK)
    assert followed(one, ran(*[1] * CHUNK))[-1] == Unit(MACHINE, 2, 18)


def test_without_examples_and_corpus_the_soak_is_first_and_has_one_history_at_least() -> None:
    one = course(Budget(steps=0, examples=0))
    assert followed(one, ran(5)) == [Unit(SOAK, 0), None]


def test_what_is_ahead_is_what_follows_if_nothing_is_found() -> None:
    budget = replace(BUDGET, steps=1_000)
    one, other = course(budget, stored=3), course(budget, stored=3)
    foreseen = list(islice(one.ahead(), 7))
    results = [ran(1)] * 3 + [ran(*[1] * CHUNK), ran(*[1] * 20), ran(1)]
    assert foreseen == followed(other, *results)


def test_what_is_ahead_ends_about_where_the_budget_does() -> None:
    one = course(Budget(steps=1_000, examples=0))
    one.add(ran(10))
    assert 90 <= len(list(one.ahead())) <= 110
    one.add(ran(980))
    assert next(iter(one.ahead())) == Unit(SOAK, 2), "the next one in any case"


def test_what_is_found_is_known_from_then_on() -> None:
    one = course(known=("PIN/known",))
    found = one.add(ran(1, tag="freed"))
    assert found == broken("freed")
    one.settled(Settled("OWN/lost", NOTHING))
    assert one.known == {"PIN/known", "PIN/freed", "OWN/lost"}


def test_a_consequence_of_what_is_known_is_met_and_not_found() -> None:
    one = course(known=("PIN/known",))
    one.add(ran(1, tag="freed"))
    one.settled(Settled(None, Counter({"PIN/known": 2})))
    assert one.known == {"PIN/known"}
    assert one.progress.passed_over == {"PIN/known": 2}


def test_milestones_and_what_was_passed_over_are_added_up() -> None:
    one = course(known=("PIN/known",))
    first, second = list(Milestone)[:2]
    for milestone in (first, second, first):
        kept = Kept(1, milestones=Counter([milestone]))
        one.add(Ran((kept,), Counter({"PIN/known": 3})))
    assert one.progress.milestones == {first: 2, second: 1}
    assert one.progress.passed_over == {"PIN/known": 9}


@pytest.mark.parametrize(
    ("tag", "known", "takes"),
    [
        ("", (), True),
        ("", ("PIN/a",), True),
        ("", ("PIN/a", "PIN/guessed"), False),
        ("b", (), True),
        ("b", ("PIN/a",), True),
        ("a", (), False),
    ],
    ids=[
        "nothing was known, and nothing came of it",
        "what was known then is known now",
        "more was known to it than is now",
        "its breach is new still",
        "its breach is new beside what is known",
        "its breach is known by now",
    ],
)
def test_a_unit_run_ahead_is_used_if_it_would_go_the_same_way_now(
    tag: str, known: tuple[str, ...], takes: bool
) -> None:
    ahead = Ahead(ran(1, tag=tag), frozenset(known))
    assert course(known=("PIN/a",)).takes(ahead) is takes
