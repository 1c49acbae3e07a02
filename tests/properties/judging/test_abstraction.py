"""The abstraction function: what is told of nodes, unrolled onto pages."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from radixproof.impl.observation import ROOT, NodeView, Observation, PerComponent, Slots, Whole
from radixproof.impl.registry import find
from radixproof.model.config import Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.trie import Page
from radixproof.model.verdict import Property
from radixproof.properties.generating.configs import config
from radixproof.properties.generating.operations import Generator
from radixproof.properties.judging.abstraction import Abstraction, Delta
from radixproof.properties.performing.ledger import Ledger
from radixproof.properties.running.run import Run

PAIRS = Config(
    page_size=2, window=2, swa_pages=8, swa_host_pages=16, mamba_states=6, mamba_host_states=6
)
EMPTY = Whole(((), (), (), (), (), ()), {}, None, None, ((), (), (), ()))
NOWHERE = [False] * len(Pool)


@pytest.fixture
def abstraction() -> Abstraction:
    return Abstraction(PAIRS, Cache(PAIRS, Dialect()), Ledger(PAIRS))


def node(
    number: int,
    segment: Slots,
    full: Slots | None = None,
    *,
    parent: int = ROOT,
    namespace: str = "",
    swa: Slots | None = None,
    mamba: Slots | None = None,
    host: Slots | None = None,
    mamba_host: Slots | None = None,
    locks: PerComponent = (0, 0, 0),
) -> NodeView:
    return NodeView(
        number, parent, namespace, segment, (full, swa, mamba, host, None, mamba_host), locks, False
    )


def told(*nodes: NodeView, removed: Sequence[int] = (), whole: bool = False) -> Observation:
    return Observation(
        nodes, tuple(removed), (0, 0, 0, 0, 0, 0), (0, 0, 0), (0, 0, 0), EMPTY if whole else None
    )


def locks(abstraction: Abstraction, one: Page) -> PerComponent:
    placed = abstraction.placed(one)
    assert placed is not None
    assert placed.view.locks is not None
    return placed.view.locks


def only(*pools: Pool) -> list[bool]:
    return [pool in pools for pool in Pool]


def page(abstraction: Abstraction, *tokens: int, namespace: str = "") -> Page:
    """The page at the end of a prefix, of those that nodes unroll to."""
    (found,) = (one for one in abstraction.node_of if one.key() == Key(tokens, namespace))
    return found


def ends(pages: dict[Page, None]) -> list[int]:
    return [page.end for page in pages]


def signatures(delta: Delta) -> list[str]:
    return [breach.signature for breach in delta.breaches]


def test_a_node_unrolls_to_its_pages(abstraction: Abstraction) -> None:
    delta = abstraction.update(
        told(node(1, (1, 2, 3, 4), (2, 3, 4, 5)), node(2, (5, 6), (6, 7), parent=1))
    )
    assert ends(delta.gained[Pool.FULL]) == [2, 4, 6]
    assert not any(delta.gone)
    assert [placed.view.id for placed in delta.placed] == [1, 2]
    assert [(one.end, ends) for one, ends in delta.ends] == [(4, True), (6, True)]
    assert abstraction.resident_in(page(abstraction, 1, 2)) == only(Pool.FULL)
    assert abstraction.path_slots(page(abstraction, 1, 2, 3, 4, 5, 6), Pool.FULL) == [
        2,
        3,
        4,
        5,
        6,
        7,
    ]
    assert abstraction.path_slots(page(abstraction, 1, 2), Pool.FULL) == [2, 3]


def test_what_is_seen_changes_nothing_in_the_model(abstraction: Abstraction) -> None:
    """Neither its pages nor its node ends: what differs is for the judge to compare."""
    model = abstraction.model
    model.insert(Key((1, 2, 3, 4, 5, 6)), 0, 0)
    before = repr(model)
    below = node(2, (3, 4, 5, 6, 7, 8), (4, 5, 6, 7, 8, 9), parent=1)
    delta = abstraction.update(told(node(1, (1, 2), (2, 3)), below))
    assert repr(model) == before
    assert [page.end for page in model.trie.walk(Key((1, 2, 3, 4, 5, 6, 7, 8)))] == [2, 4, 6]
    differs = [(2, True), (4, False), (6, False), (8, True)]
    assert [(one.end, ends) for one, ends in delta.ends] == differs
    assert signatures(delta) == ["MATCH/cut-unasked", "MATCH/not-cut", "MATCH/not-cut"]


def test_namespaces_unroll_apart(abstraction: Abstraction) -> None:
    abstraction.update(told(node(1, (1, 2), (2, 3)), node(2, (1, 2), (4, 5), namespace="a")))
    other = page(abstraction, 1, 2, namespace="a")
    assert abstraction.node_of == {page(abstraction, 1, 2): 1, other: 2}
    assert abstraction.nodes[1].tags != abstraction.nodes[2].tags


WHOLE_NODE = node(1, (1, 2, 3, 4), (2, 3, 4, 5), host=(2, 3, 4, 5))
PIECES = (node(2, (1, 2), (2, 3), host=(2, 3)), node(1, (3, 4), (4, 5), host=(4, 5), parent=2))


@pytest.mark.parametrize("whole", [False, True])
def test_a_split_changes_no_page(abstraction: Abstraction, whole: bool) -> None:
    abstraction.update(told(WHOLE_NODE))
    before = dict(abstraction.nodes)
    delta = abstraction.update(told(*PIECES, whole=whole))
    assert delta.still
    assert delta.breaches == []
    assert abstraction.nodes.keys() == {1, 2}
    assert before[1].tags == abstraction.nodes[2].tags + abstraction.nodes[1].tags
    assert abstraction.owned[Pool.FULL] == {2, 3, 4, 5}


def test_a_split_that_mixes_slots_up_is_a_move(abstraction: Abstraction) -> None:
    abstraction.update(told(WHOLE_NODE))
    delta = abstraction.update(
        told(node(2, (1, 2), (4, 5), host=(2, 3)), node(1, (3, 4), (2, 3), host=(4, 5), parent=2))
    )
    assert not delta.still
    assert {(moved.end, pool) for moved, pool in delta.moved} == {(2, Pool.FULL), (4, Pool.FULL)}


def test_what_a_node_gains_and_loses_is_told_by_pool(abstraction: Abstraction) -> None:
    abstraction.update(told(node(1, (1, 2), (2, 3), swa=(2, 3))))
    delta = abstraction.update(told(node(1, (1, 2), (2, 3), host=(4, 5))))
    assert [ends(gone) for gone in delta.gone] == [[], [2], [], [], [], []]
    assert [ends(gained) for gained in delta.gained] == [[], [], [], [2], [], []]
    assert abstraction.owned[Pool.SWA] == set()
    assert abstraction.owned[Pool.FULL_HOST] == {4, 5}


def test_a_state_is_that_of_the_last_page(abstraction: Abstraction) -> None:
    delta = abstraction.update(
        told(node(1, (1, 2, 3, 4), (2, 3, 4, 5), mamba=(7,), mamba_host=(8,)))
    )
    assert ends(delta.gained[Pool.MAMBA]) == ends(delta.gained[Pool.MAMBA_HOST]) == [4]
    assert abstraction.resident_in(page(abstraction, 1, 2)) == only(Pool.FULL)
    assert abstraction.resident_in(page(abstraction, 1, 2, 3, 4)) == only(
        Pool.FULL, Pool.MAMBA, Pool.MAMBA_HOST
    )
    assert abstraction.owned[Pool.MAMBA] == {7}
    assert abstraction.unlocked == [4, 0, 1]


def test_a_split_leaves_the_state_on_the_lower_half(abstraction: Abstraction) -> None:
    abstraction.update(told(node(1, (1, 2, 3, 4), (2, 3, 4, 5), mamba=(7,))))
    below = node(1, (3, 4), (4, 5), mamba=(7,), parent=2)
    assert abstraction.update(told(node(2, (1, 2), (2, 3)), below)).still
    delta = abstraction.update(
        told(
            node(2, (1, 2), (2, 3), mamba=(7,)),
            below._replace(slots=((4, 5), None, None, None, None, None)),
        )
    )
    assert (ends(delta.gone[Pool.MAMBA]), ends(delta.gained[Pool.MAMBA])) == ([4], [2])


def test_a_state_in_another_slot_has_moved(abstraction: Abstraction) -> None:
    abstraction.update(told(node(1, (1, 2, 3, 4), (2, 3, 4, 5), mamba=(7,))))
    delta = abstraction.update(told(node(1, (1, 2, 3, 4), (2, 3, 4, 5), mamba=(8,))))
    assert [(moved.end, pool) for moved, pool in delta.moved] == [(4, Pool.MAMBA)]


def test_a_node_that_has_a_slot_of_a_requests_is_seen(abstraction: Abstraction) -> None:
    abstraction.ledger.take(Pool.FULL, [2, 3])
    (breach,) = abstraction.update(told(node(1, (1, 2), (2, 3)))).breaches
    assert breach.signature == "OWN/owned-twice"
    assert breach.text == "FULL slot 2 belongs to [1 2] and to a request"


def test_pairs_of_tokens_unroll_as_tokens_do() -> None:
    shape = Config(bigram=True)
    abstraction = Abstraction(shape, Cache(shape, Dialect()), Ledger(shape))
    delta = abstraction.update(told(node(1, ((1, 2), (2, 3)), (2, 3))))  # type: ignore[arg-type]
    assert ends(delta.gained[Pool.FULL]) == [1, 2]
    first, second = page(abstraction, 1, 2), page(abstraction, 1, 2, 3)
    assert (first.tokens, second.tokens) == (((1, 2),), ((2, 3),))


def test_only_the_pages_whose_slots_changed_have_moved(abstraction: Abstraction) -> None:
    abstraction.update(told(WHOLE_NODE))
    delta = abstraction.update(told(node(1, (1, 2, 3, 4), (2, 3, 8, 9), host=(2, 3, 4, 5))))
    assert [(moved.end, pool) for moved, pool in delta.moved] == [(4, Pool.FULL)]
    assert abstraction.owned[Pool.FULL] == {2, 3, 8, 9}


def test_a_change_of_locks_reshapes_nothing(abstraction: Abstraction) -> None:
    abstraction.update(told(node(1, (1, 2), (2, 3), swa=(2, 3))))
    assert (abstraction.unlocked, abstraction.locked) == ([2, 2, 0], [0, 0, 0])
    delta = abstraction.update(told(node(1, (1, 2), (2, 3), swa=(2, 3), locks=(2, 0, 0))))
    assert delta.still
    assert delta.reshaped == []
    assert [placed.view.id for placed in delta.placed] == [1]
    assert locks(abstraction, page(abstraction, 1, 2)) == (2, 0, 0)
    assert (abstraction.unlocked, abstraction.locked) == ([0, 2, 0], [2, 0, 0])


def test_a_removed_node_leaves_nothing(abstraction: Abstraction) -> None:
    abstraction.update(told(*PIECES))
    end = page(abstraction, 1, 2, 3, 4)
    delta = abstraction.update(told(removed=(1,)))
    assert ends(delta.gone[Pool.FULL]) == [4]
    assert ends(delta.gone[Pool.FULL_HOST]) == [4]
    assert abstraction.nodes.keys() == {2}
    assert abstraction.owned[Pool.FULL] == {2, 3}
    assert abstraction.resident_in(end) == NOWHERE
    assert abstraction.placed(end) is None
    assert abstraction.unlocked == [2, 0, 0]


def test_a_whole_observation_tells_of_removal_by_silence(abstraction: Abstraction) -> None:
    abstraction.update(told(*PIECES))
    delta = abstraction.update(told(PIECES[0], whole=True))
    assert ends(delta.gone[Pool.FULL]) == [4]
    assert delta.placed == []
    assert abstraction.update(told(PIECES[0], whole=True)).still


def test_the_removal_of_a_node_never_seen_is_nothing(abstraction: Abstraction) -> None:
    assert abstraction.update(told(removed=(7,))).still


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (node(1, ()), "0 tokens"),
        (node(1, (1, 2, 3), (2, 3, 4)), "3 tokens, which is not a whole number of pages"),
        (node(1, (1, 2), (2, 3), parent=8), "hangs under a node that is not in the tree"),
        (node(1, (1, 2), (2,)), "1 FULL slots for 2 tokens"),
        (node(1, (1, 2), (2, 3), host=(2, 3, 4)), "3 FULL_HOST slots for 2 tokens"),
        (node(1, (1, 2), (2, 3), mamba=(2, 3)), "2 MAMBA slots for 2 tokens"),
    ],
)
def test_a_malformed_node_is_a_breach_and_not_taken_in(
    abstraction: Abstraction, wrong: NodeView, complaint: str
) -> None:
    (breach,) = abstraction.update(told(wrong)).breaches
    assert breach.signature == "DEVPATH/malformed-node"
    assert complaint in breach.text
    assert abstraction.nodes == {}


def test_a_node_that_becomes_malformed_is_gone(abstraction: Abstraction) -> None:
    abstraction.update(told(node(1, (1, 2), (2, 3))))
    delta = abstraction.update(told(node(1, (1, 2), (2, 3, 4))))
    assert signatures(delta) == ["DEVPATH/malformed-node"]
    assert ends(delta.gone[Pool.FULL]) == [2]


@pytest.mark.parametrize(
    ("pool", "nodes", "violated"),
    [
        (Pool.FULL, (node(1, (1, 2), (2, 3)), node(2, (3, 4), (3, 4))), Property.OWN),
        (
            Pool.SWA,
            (node(1, (1, 2), (2, 3), swa=(2, 3)), node(2, (3, 4), (4, 5), swa=(3, 4))),
            Property.OWN,
        ),
        (
            Pool.FULL_HOST,
            (node(1, (1, 2), host=(2, 3)), node(2, (3, 4), host=(3, 4))),
            Property.OWN_H,
        ),
        (Pool.FULL, (node(1, (1, 2), (3, 3)),), Property.OWN),
        (
            Pool.MAMBA,
            (node(1, (1, 2), (2, 3), mamba=(3,)), node(2, (3, 4), (4, 5), mamba=(3,))),
            Property.OWN,
        ),
        (
            Pool.MAMBA_HOST,
            (node(1, (1, 2), mamba_host=(3,)), node(2, (3, 4), mamba_host=(3,))),
            Property.OWN_H,
        ),
    ],
)
def test_a_slot_that_two_tokens_have_is_a_breach(
    abstraction: Abstraction, pool: Pool, nodes: tuple[NodeView, ...], violated: Property
) -> None:
    (breach,) = abstraction.update(told(*nodes)).breaches
    assert (breach.violates, breach.rule) == (violated, "owned-twice")
    assert f"{pool.name} slot 3 " in breach.text


@pytest.mark.parametrize("whole", [False, True])
def test_two_nodes_for_one_prefix_are_a_breach(abstraction: Abstraction, whole: bool) -> None:
    """A request that asks for it meets only one of them; the other is lost, with its slots."""
    first, second = node(1, (1, 2), (2, 3)), node(2, (1, 2), (4, 5))
    assert abstraction.update(told(first)).breaches == []
    assert (
        signatures(
            abstraction.update(told(*((first, second) if whole else (second,)), whole=whole))
        )
        != []
    )


def test_a_slot_may_go_from_node_to_node_in_one_step(abstraction: Abstraction) -> None:
    """Freed by one and allocated by another between two looks, in whatever order they are told."""
    first, second = node(1, (1, 2), (2, 3)), node(2, (3, 4), (4, 5))
    abstraction.update(told(first, second))
    delta = abstraction.update(told(node(1, (1, 2), (4, 5)), node(2, (3, 4), (2, 3))))
    assert delta.breaches == []
    delta = abstraction.update(told(node(3, (5, 6), (4, 5)), removed=(1,)))
    assert delta.breaches == []
    assert abstraction.owned[Pool.FULL] == {2, 3, 4, 5}


def test_a_slot_of_a_node_that_kept_it_is_still_owned_twice(abstraction: Abstraction) -> None:
    abstraction.update(told(node(1, (1, 2), (2, 3)), node(2, (3, 4), (4, 5))))
    assert signatures(abstraction.update(told(node(2, (3, 4), (2, 3))))) == ["OWN/owned-twice"]


@pytest.mark.parametrize("seed", range(6))
def test_deltas_and_whole_observations_end_in_the_same_mirror(seed: int) -> None:
    """A run that is told of changes only sees what a run that is told everything sees."""
    shape = config(Random(seed))
    by_deltas, by_wholes = (
        Run(find("radix"), shape, every=10**9),
        Run(find("radix"), shape, every=1),
    )
    for operation in Generator(by_deltas.judge, Random(seed)).operations(60):
        assert by_deltas.step(operation) == by_wholes.step(operation) == []
        mine, other = by_deltas.judge.abstraction, by_wholes.judge.abstraction
        assert {number: placed.view for number, placed in mine.nodes.items()} == {
            number: placed.view for number, placed in other.nodes.items()
        }
        assert mine.owned == other.owned
        assert (mine.unlocked, mine.locked) == (other.unlocked, other.locked)
        assert drawn(mine) == drawn(other)
    for run in (by_deltas, by_wholes):
        run.close()


def drawn(abstraction: Abstraction) -> dict[Key, tuple[list[bool], PerComponent, list[int]]]:
    return {
        one.key(): (
            abstraction.resident_in(one),
            locks(abstraction, one),
            abstraction.path_slots(one, Pool.FULL),
        )
        for one in abstraction.node_of
    }
