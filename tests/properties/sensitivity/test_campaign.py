"""A campaign chooses what every cell needs, and gives the same results with any processes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from radixproof.properties.sensitivity.campaign import chosen, scouted, tried
from radixproof.properties.sensitivity.cells import LEFT_OUT, REPORTED, Cell, Result
from radixproof.properties.sensitivity.scouting import scout

KIND = "lock-a-node-short"
POSSIBLE = [one for number in range(8) for one in scout(1, number) if one.kind == KIND]


def test_every_cell_gets_as_many_as_there_are() -> None:
    todo = chosen(POSSIBLE, [], 2)
    have, there = (Counter(cell for one in some for cell in one.cells) for some in (todo, POSSIBLE))
    assert all(have[cell] >= min(2, there[cell]) for cell in there)
    assert len(todo) < len(POSSIBLE)


def test_what_was_left_out_is_made_up_for() -> None:
    todo = chosen(POSSIBLE, [], 2)
    reported = [Result(one, REPORTED) for one in todo]
    assert chosen(POSSIBLE, reported, 2) == []
    more = [
        chosen(POSSIBLE, [*reported[:at], Result(one, LEFT_OUT), *reported[at + 1 :]], 2)
        for at, one in enumerate(todo)
    ]
    assert any(more)
    assert not any(set(some) & set(todo) for some in more)


def test_a_cell_in_which_nothing_shows_is_given_up() -> None:
    todo = chosen(POSSIBLE, [], 1)
    assert chosen(POSSIBLE, [Result(one, LEFT_OUT) for one in todo], 1) == []


def test_cells_are_those_of_the_situations() -> None:
    one = POSSIBLE[0]
    assert one.cells == [
        Cell(KIND, one.component, one.policy, situation) for situation in one.situations
    ]
    assert replace(one, situations=()).cells == []


def test_two_processes_do_what_one_does() -> None:
    some = POSSIBLE[::9]
    results = [
        sorted((one for part in tried(some, jobs) for one in part), key=str) for jobs in (1, 2)
    ]
    assert results[0] == results[1]
    assert len(results[0]) == len(some)
    found = [list(scouted(1, 2, [KIND], jobs)) for jobs in (1, 2)]
    assert found[0] == found[1]
