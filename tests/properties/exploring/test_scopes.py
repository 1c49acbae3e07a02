"""The scopes that are here."""

from __future__ import annotations

from itertools import chain

import pytest

from radixproof.impl.registry import find
from radixproof.model.config import COMPONENTS
from radixproof.properties.exploring.expanding import expand
from radixproof.properties.exploring.narrow import NARROW
from radixproof.properties.exploring.scopes import DEFAULT, QUICK, SCOPES, SLOW


def test_all_sets_of_components_are_there_under_both_ways_of_writing() -> None:
    shapes = {(scope.config.components, scope.config.write_back) for scope in SCOPES.values()}
    assert len({components for components, write_back in shapes if write_back}) == 4
    assert len({components for components, write_back in shapes if not write_back}) == 4
    assert set(chain(*(components for components, _ in shapes))) == set(COMPONENTS)
    assert DEFAULT in SCOPES


def test_no_two_have_one_name_and_those_that_are_slow_are_there() -> None:
    assert len(SCOPES) == len(NARROW) + 28
    assert set(SCOPES) > SLOW
    assert QUICK not in SCOPES


@pytest.mark.parametrize("name", SCOPES)
def test_something_can_be_done_in_each_and_nothing_is_wrong(name: str) -> None:
    expanded = expand(find("radix"), SCOPES[name], b"", lambda _: False)
    assert len(expanded.moves) > 1
    assert expanded.broken == []
