"""Signatures that are passed over are counted, and only these."""

from __future__ import annotations

from radixproof.properties.running.passed_over import PassedOver


def test_what_is_asked_for_and_passed_over_is_counted() -> None:
    known = PassedOver(["PIN/x", "OWN/y"])
    assert [one in known for one in ("PIN/x", "PIN/z", "PIN/x")] == [True, False, True]
    assert known.met == {"PIN/x": 2}
    assert {*known} == {"PIN/x", "OWN/y"}
    assert len(known) == 2
    assert known.met == {"PIN/x": 2}, "to look at it is not to meet it"
