"""Mistakes that adapters make: each gets a sentence that says where it is, and none a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import radixproof
from radixproof import Event, NodeView, Observation
from radixproof.impl.system import AdapterMistake, Target
from toy_adapter import Adapter, target
from toy_cache import Node, ToyCache

MISNAMED = Event("stored", blocks=([1],))  # type: ignore[arg-type]


def adapted(**methods: Callable[..., Any]) -> Target:
    """The toy behind an adapter of which some methods are others."""
    return replace(target, build=type("Mine", (Adapter,), methods))


def view(node: Node, **changes: Any) -> NodeView:
    above = node.parent.id if node.parent else 0
    seen = NodeView.full(node.id, above, node.tokens, node.slots, node.locks)
    return seen._replace(**changes)


def showing(show: Callable[[ToyCache], list[Any]], **changes: Any) -> Target:
    """An adapter that shows other nodes, and changes other fields of what it shows."""

    def observe(self: Adapter, whole: bool) -> Observation:
        return replace(Adapter.observe(self, whole), nodes=tuple(show(self.cache)), **changes)

    return adapted(observe=observe)


def mistaken(mine: Target) -> str:
    """What a check says."""
    with pytest.raises(AdapterMistake) as raised:
        radixproof.check(mine, steps=300)
    return str(raised.value)


def each(**changes: Any) -> Callable[[ToyCache], list[NodeView]]:
    return lambda cache: [view(node, **changes) for node in cache.nodes()]


def nodes(cache: ToyCache) -> list[Node]:
    return list(cache.nodes())


@pytest.mark.parametrize(
    ("method", "wrong", "says"),
    [
        ("match", lambda self, key: (0, []), r"returned (0, []) for ([1]), and must return a"),
        ("match", lambda self, key: None, "returned None for ([1]), and must return a radixproof"),
        (
            "match",
            lambda self, key: Adapter.match(self, key)._replace(device=2, best=2),
            "returned Lookup(device=2, best=2, slots=[]) for",
        ),
        ("allocate", lambda self, tokens: [], "returned [] for (1), and must return a list of"),
        ("allocate", lambda self, tokens: [0] * tokens, "returned [0, 0] for (2)"),
        ("available", lambda self, pool: None, "returned None for (<Pool.FULL: 0>), and must"),
        ("available", lambda self, pool: 7.0, "returned 7.0 for (<Pool.FULL: 0>)"),
        ("available", lambda self, pool: 0, "says that a new cache has 0 free FULL slots; it must"),
        ("read", lambda self, pool, slots: None, "must return a list with the tag of each slot"),
        ("insert", lambda self, key, slots, *_: None, "must return a radixproof.Insertion"),
        ("evict", lambda self, full, *_: full, "must return how many tokens it freed of FULL, SWA"),
        ("lock", lambda self, anchor: None, "must return a receipt"),
        ("observe", lambda self, whole: [], "returned [], and must return a radixproof.Obser"),
        ("observe", lambda self, whole: self.cashe, "raises AttributeError on a new cache in test"),
    ],
)
def test_a_wrong_answer_names_the_method_and_what_is_right(
    method: str, wrong: Callable[..., Any], says: str
) -> None:
    text = mistaken(adapted(**{method: wrong}))
    assert text.startswith("the adapter of toy has a mistake: Mine.")
    assert "(test_vetted.py, line " in text
    assert says in text


def test_an_anchor_needs_a_method_more() -> None:
    def insert(self: Adapter, key: radixproof.Key, *rest: Any) -> radixproof.Insertion:
        made = Adapter.insert(self, key, *rest)
        return made._replace(anchor=self.cache.walk(key.tokens))

    assert "returned an anchor, for which there must be a method path_slots" in mistaken(
        adapted(insert=insert)
    )


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        (showing(lambda cache: [view(cache.root)]), "shows a node with id 0 and parent 0: both"),
        (
            showing(
                lambda cache: [view(cache.root, id=9), *each()(cache)],
                whole=radixproof.Whole(),
            ),
            "shows 1 nodes of a new cache, which has none: leave out the root",
        ),
        (
            showing(each(parent=7)),
            "below 7, which it has not shown: the parent of what hangs",
        ),
        (
            showing(lambda cache: each()(cache)[::-1]),
            "before its parent 1: parents come first",
        ),
        (showing(each(id=1)), "shows two nodes with the id 1"),
        (showing(each(id="1")), "shows a node with id '1' and parent 0: both must be plain ints"),
        (showing(lambda cache: [tuple(view(node)) for node in nodes(cache)]), "among its nodes"),
        (showing(each(segment=[1])), "with tokens [1], and must show a tuple of plain ints"),
        (showing(each(namespace=None)), "in the namespace None, not a str"),
        (showing(each(locks=1)), "with locks=1, and must show a tuple of plain ints, one for each"),
        (showing(each(slots=((0,), None))), "and must show a tuple of 6, one for each of FULL"),
        (showing(each(slots=([0], *5 * [None]))), "FULL slots [0], and must show a tuple of plain"),
        (
            showing(each(slots=((0,), (0,), *4 * [None]))),
            "with SWA slots (0,), and the cache has no SWA: it must be None there",
        ),
        (
            showing(each(slots=((99,), *5 * [None]))),
            "with FULL slots (99,), of which a new cache did not list 99 as free",
        ),
        (showing(each(), free=(5,)), "shows free=(5,), and must show a tuple of 6 plain ints"),
        (showing(each(), protected=0), "shows protected=0, and must show a tuple of 3 plain ints"),
        (showing(each(), whole=None), "shows whole=None where it was asked for everything"),
        (
            showing(each(), whole=radixproof.Whole(ages=[])),  # type: ignore[arg-type]
            "shows ages=[] in its Whole, and must show a mapping from ids to ints",
        ),
        (showing(each(), whole=radixproof.Whole(ages={})), "shows ages of nodes, and none for"),
        (showing(each(), removed=None), "shows removed=None, and must show a tuple of ids"),
        (showing(each(), events=5), "shows events=5, and must show a tuple of radixproof.Events"),
        (showing(each(), events=("stored",)), "shows the event 'stored', and must show a"),
        (showing(each(), events=(MISNAMED,)), "its blocks are a tuple of"),
    ],
)
def test_an_observation_in_the_wrong_form_says_what_is_right(mine: Target, says: str) -> None:
    text = mistaken(mine)
    assert text.startswith("the adapter of toy has a mistake: Mine.observe (test_vetted.py, line ")
    assert says in text


def test_a_cache_has_the_size_that_it_is_built_with() -> None:
    def small(config: radixproof.Config) -> Adapter:
        return Adapter(replace(config, device_pages=config.device_pages - 1))

    assert (
        "says that a new cache has 4 free FULL slots; it must have 5, since it is built with"
        in (mistaken(replace(target, build=small)))
    )


def test_a_cache_is_new_each_time() -> None:
    one = Adapter(radixproof.Config(host_pages=0))
    one.cache.insert((1,), [0], 0)
    assert "let build make a new cache each time" in mistaken(
        replace(target, build=lambda config: one)
    )


@pytest.mark.parametrize("made", [None, Adapter])
def test_build_must_return_a_system(made: Any) -> None:
    text = mistaken(replace(target, build=lambda config: made))
    assert text == (
        f"the adapter of toy has a mistake: build must return a system, and returned {made!r}"
    )


def test_what_the_cache_raises_is_a_finding() -> None:
    def evict(self: Adapter, full: int, *_: object) -> tuple[int, int, int]:
        raise RuntimeError("no leaf")

    (finding,) = radixproof.check(adapted(evict=evict), steps=300).findings
    assert finding.verdict.breach.text.endswith(
        "RuntimeError in test_what_the_cache_raises_is_a_finding.<locals>.evict: no leaf"
    )


def test_a_node_that_hangs_below_one_that_is_gone_is_a_finding() -> None:
    """The adapter shows what there is: the cache has lost the parent."""

    class Orphans(ToyCache):
        def nodes(self) -> Iterator[Node]:
            return (node for node in super().nodes() if not (node.children and node.locks > 1))

    mine = replace(target, build=lambda config: Adapter(config, Orphans))
    signatures = {one.signature for one in radixproof.check(mine, steps=1_000).findings}
    assert "DEVPATH/malformed-node" in signatures
