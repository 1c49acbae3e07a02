"""Orders of use."""

from __future__ import annotations

from radixproof.impl.radix.recency import RecencyList


def test_recency_list_keeps_its_order() -> None:
    order: RecencyList[str] = RecencyList()
    for member in "abc":
        order.renew(member)
    order.add_older("x", than="b")
    order.renew("a")
    assert (list(order), len(order)) == (["x", "b", "c", "a"], 4)
    order.discard("c")
    order.discard("c")
    assert list(order) == ["x", "b", "a"]
    assert ("a" in order, "c" in order) == (True, False)
    for member in order:
        order.discard(member)
    assert list(order) == []
