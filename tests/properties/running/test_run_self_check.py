"""A system's own check of itself: when it is called, and what becomes of its complaints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radixproof.impl.operations import (
    Arrive,
    Evict,
    HostLock,
    Insert,
    Lock,
    Match,
    Operation,
    Refuse,
    Unlock,
    WritingCheck,
)
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.registry import find
from radixproof.impl.system import AdapterMistake, Complaint
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.accepting.methods import complete
from radixproof.properties.running.run import CHECKED_ITSELF, Run

A = Key((1,))
SETTLE = WritingCheck(blocking=True)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the check was called, while it is content."""
    told: list[int] = []
    monkeypatch.setattr(RadixSystem, "check_itself", lambda _: told.append(1), raising=False)
    return told


def run(every: int | None = 1) -> Run:
    radix = find("radix")
    return Run(replace(radix, scope=replace(radix.scope, self_checks=True)), Config(), every)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([Insert(A)], 1),
        ([Insert(A), SETTLE], 2),
        ([Insert(A), HostLock("a", A), Match(A)], 3),
        ([Insert(A), Lock("a", A), Match(A)], 1),
        ([Insert(A), Lock("a", A), Unlock("a")], 2),
        ([Arrive("q", A), Match(A)], 1),
        ([Insert(A), Refuse(Pool.FULL_HOST), Evict(1)], 3),
    ],
    ids=["copying", "idle", "host locked", "locked", "idle again", "request", "evicted"],
)
def test_it_is_called_when_no_request_uses_the_system(
    calls: list[int], operations: list[Operation], expected: int
) -> None:
    checked = run()
    for operation in operations:
        assert checked.step(operation) == []
    assert len(calls) == expected


def test_it_is_called_now_and_then_only(calls: list[int]) -> None:
    checked = run(every=None)
    for _ in range(2 * CHECKED_ITSELF):
        checked.step(Match(A))
    assert len(calls) == 2


def test_a_system_that_offers_none_is_not_asked(calls: list[int]) -> None:
    Run(find("radix"), Config(), every=1).step(Match(A))
    assert calls == []


def test_what_it_complains_of_is_a_breach(monkeypatch: pytest.MonkeyPatch) -> None:
    def complain(self: RadixSystem) -> None:
        raise AssertionError("a node has no parent")

    monkeypatch.setattr(RadixSystem, "check_itself", complain, raising=False)
    (breach,) = run().step(Match(A))
    assert breach.signature.startswith("NOCRASH/AssertionError@")
    assert "a node has no parent" in breach.text


def test_a_complaint_names_the_breach(monkeypatch: pytest.MonkeyPatch) -> None:
    def complain(self: RadixSystem) -> None:
        raise Complaint("orphan", "node 5 has no parent")

    monkeypatch.setattr(RadixSystem, "check_itself", complain, raising=False)
    (breach,) = run().step(Match(A))
    assert breach.signature == "NOCRASH/self-check-orphan"
    assert "node 5 has no parent" in breach.text


def test_a_complaint_is_told_in_what_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def complains(_: RadixSystem) -> None:
        raise Complaint("odd\x07", "two\nlines \udc80")

    monkeypatch.setattr(RadixSystem, "check_itself", complains, raising=False)
    (breach,) = run().step(Insert(A))
    assert breach.signature == "NOCRASH/self-check-odd\\x07"
    assert breach.text.endswith("finds: two lines \\udc80")


def test_it_is_not_called_after_something_was_found(calls: list[int]) -> None:
    checked = run()
    checked.step(Insert(A))
    checked.flawless = False
    checked.step(Match(A))
    assert len(calls) == 1


def test_a_system_that_promises_one_must_have_it() -> None:
    radix = find("radix")
    with pytest.raises(AdapterMistake, match="calls for check_itself"):
        complete(radix.build(Config()), replace(radix.scope, self_checks=True))
