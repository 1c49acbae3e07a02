"""All scopes in one process."""

from __future__ import annotations

from itertools import islice

from radixproof.impl.registry import find
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.sweep import sweep

TWO = [SCOPES["swa"], SCOPES["mamba"]]


def test_the_shortest_histories_of_all_scopes_come_first() -> None:
    judged = list(islice(sweep(find("radix"), TWO), 60))
    lengths = [len(one.history.operations) for one in judged]
    assert lengths == sorted(lengths)
    assert {one.history.config for one in judged if len(one.history.operations) == 1} == {
        scope.config for scope in TWO
    }
    assert all(one.breach is None for one in judged)


def test_what_is_wrong_is_among_them() -> None:
    first = next(one for one in sweep(find("fault:ack-keeps-lock"), TWO) if one.breach)
    assert first.breach is not None
    assert first.history.config == TWO[0].config


def test_a_scope_that_cannot_be_built_is_left_out() -> None:
    plain = find("radix")
    assert not list(sweep(plain, []))
