"""Where nodes are, by the names of their pages, on a stand-in for a core that does not say it."""

from __future__ import annotations

import pytest

from radixproof.impl.sglang.cores.paths import Paths


class Named:
    """Nodes by number: their namespace, and the names of their pages with those above."""

    def __init__(self) -> None:
        self.nodes: dict[int, tuple[str | None, list[str], list[str]]] = {1: (None, [], [])}

    def add(self, number: int, namespace: str | None, above: str, own: str) -> None:
        names = [(above + own)[: at + 1] for at in range(len(above + own))]
        self.nodes[number] = (namespace, names[: len(above)], names[len(above) :])

    def get_hash_values(self, number: int) -> list[str]:
        return self.nodes[number][2]

    def get_prefix_hash_values(self, number: int) -> list[str]:
        return self.nodes[number][1]

    def get_last_hash_value(self, number: int) -> str | None:
        own = self.nodes[number][2]
        return own[-1] if own else None

    def prefetch_anchor_info(self, number: int) -> tuple[str | None, None]:
        return self.nodes[number][0], None


def test_a_way_goes_from_below_the_root_down_to_the_node() -> None:
    core = Named()
    core.add(2, None, "ab", "cd")
    core.add(3, None, "", "a")
    core.add(4, None, "a", "b")
    core.add(5, "lora", "", "ab")
    paths = Paths(core, 2)
    assert paths([2]) == [[(3, 0, 0, 2), (4, 3, 2, 4), (2, 4, 4, 8)]]
    assert paths([5, 1]) == [[(5, 0, 0, 4)], []]


def test_a_split_is_learned_of_and_what_is_gone_is_an_error() -> None:
    core = Named()
    core.add(2, None, "", "ab")
    paths = Paths(core, 1)
    assert paths([2]) == [[(2, 0, 0, 2)]]
    core.add(3, None, "", "a")
    core.add(2, None, "a", "b")
    assert paths([2]) == [[(3, 0, 0, 1), (2, 3, 1, 2)]]
    del core.nodes[2]
    with pytest.raises(KeyError):
        paths([2])
    core.add(4, None, "a", "b")
    core.add(5, None, "ab", "c")
    assert [one.node_id for one in paths([5])[0]] == [3, 4, 5]
