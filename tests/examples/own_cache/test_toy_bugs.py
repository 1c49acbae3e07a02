"""The eight bugs of the toy are found, and no shorter history shows what was found."""

from __future__ import annotations

from itertools import product

import pytest

import radixproof
import toy_adapter
import toy_bugs
from radixproof import (
    Config,
    Evict,
    History,
    Insert,
    Key,
    Lock,
    Match,
    Operation,
    Reset,
    Unlock,
)
from radixproof.properties.running.run import run_history

from ...releases import again

FOUND = {
    "split": {"LOCK/full-too-few": 3, "SIZE/full": 3},
    "lock": {"LOCK/full-too-few": 3},
    "evict": {"PROGRESS/freed-too-much": 2, "RECENCY/access-time": 3},
    "size": {"SIZE/full": 2},
    "match": {
        "MATCH/match-outcome": 2,
        "MATCH/lock-outcome": 2,
        "MATCH/insert-outcome": 2,
        "CONTENT/served": 2,
    },
    "ownership": {"OWN/full-lost": 2},
    "recency": {"RECENCY/access-time": 3},
    "reset": {"OWN/full-lost": 2},
}
"""Per bug: what may be found, with the operations of a shortest history."""

ALSO = {"RECENCY/access-time-of-half"}
"""What is found besides, since a split would explain it as well."""

KEYS = [Key(tokens) for tokens in ((1,), (1, 2), (1, 2, 3), (2,))]
OPERATIONS: list[Operation] = [
    *(Match(key) for key in KEYS),
    *(Insert(key, reuse=reuse) for key in KEYS for reuse in (False, True)),
    *(Lock(receipt, key) for key in KEYS for receipt in "ab"),
    *(Unlock(receipt) for receipt in "ab"),
    *(Evict(tokens) for tokens in range(4)),
    Reset(),
]
"""What a short history can consist of: more tokens, or others, would show nothing else."""


def bug(name: str) -> radixproof.Target:
    found = getattr(toy_bugs, name)
    assert isinstance(found, radixproof.Target)
    return found


def test_the_toy_without_a_bug_is_clean() -> None:
    assert radixproof.check(toy_adapter.target, steps=2_000).findings == ()


def test_the_list_is_complete() -> None:
    targets = (value for value in vars(toy_bugs).values() if isinstance(value, radixproof.Target))
    assert {target.name for target in targets} == {"toy", *FOUND}


@pytest.mark.parametrize(
    "name", [name if name in ("split", "size", "recency") else again(name) for name in FOUND]
)
def test_a_bug_is_found_with_a_shortest_history(name: str) -> None:
    every = radixproof.check(bug(name), steps=2_000, seed=2).findings
    findings = [finding for finding in every if finding.signature not in ALSO]
    lengths = {finding.signature: len(finding.history.operations) for finding in findings}
    assert lengths
    assert lengths.items() <= FOUND[name].items()
    for finding in findings:
        verdict = radixproof.replay(bug(name), finding.history)
        assert verdict is not None
        assert verdict.step == len(finding.history.operations) - 1
        assert radixproof.replay(toy_adapter.target, finding.history) is None


@pytest.mark.parametrize(
    ("name", "signature"), [(name, signature) for name in FOUND for signature in FOUND[name]]
)
def test_no_shorter_history_shows_it(name: str, signature: str) -> None:
    """By trying all of them."""
    config, length = Config(host_pages=0), FOUND[name][signature] - 1
    shorter = product(OPERATIONS, repeat=length)
    histories = (History(config, operations) for operations in shorter)
    found = [
        run_history(bug(name), history, lambda other: other != signature) for history in histories
    ]
    assert len(found) == len(OPERATIONS) ** length
    assert not any(found)
