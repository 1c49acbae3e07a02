"""SGLang's events as ours: page by page, of what namespace, on which tier."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from radixproof.impl.observation import Event
from radixproof.impl.sglang.events import Events, OwnNames, asked_for

CPU, GPU = (SimpleNamespace(name=name) for name in ("CPU", "GPU"))


class BlockStored(SimpleNamespace):
    pass


class BlockStoredWithMetadata(BlockStored):
    """What 0.5.18 and 0.5.19 say of keys with a salt."""


class BlockRemoved(SimpleNamespace):
    pass


class AllBlocksCleared(SimpleNamespace):
    pass


class BlockMoved(SimpleNamespace):
    pass


def can(events: bool = True, named: bool = True) -> Any:
    return cast(Any, SimpleNamespace(events=events, named_namespaces=named))


def stored(blocks: Sequence[int], tokens: Sequence[Any], **named: Any) -> BlockStored:
    said = {"parent_block_hash": None, "medium": GPU, "lora_name": None} | named
    return BlockStored(block_hashes=list(blocks), token_ids=list(tokens), **said)


class Tree:
    """Has the methods that releases have had, one of them at a time."""

    def __init__(self, *said: Any) -> None:
        self.said = list(said)

    def take_events(self) -> list[Any]:
        said, self.said = self.said, []
        return said


def heard(*said: Any, page_size: int = 1) -> tuple[Event, ...]:
    return Events(Tree(*said), can(), page_size).drain()


def test_several_pages_in_one_event_are_said_one_by_one() -> None:
    assert heard(stored((7, 8), (1, 2, 3, 4), parent_block_hash=6), page_size=2) == (
        Event("stored", False, (7,), 6, (1, 2)),
        Event("stored", False, (8,), 7, (3, 4)),
    )


@pytest.mark.parametrize(("medium", "on_host"), [(CPU, True), (GPU, False), (None, False)])
def test_media_are_tiers(medium: Any, on_host: bool) -> None:
    removed = BlockRemoved(block_hashes=[7, 8], medium=medium)
    assert heard(removed) == (Event("removed", on_host, (7, 8)),)
    (event,) = heard(stored([7], [1], medium=medium))
    assert event.on_host is on_host


def test_pairs_are_tuples_whatever_they_come_as() -> None:
    (event,) = heard(stored([7], [[1, 2]]))
    assert event.tokens == ((1, 2),)


def test_everything_may_be_cleared_and_what_is_unknown_is_passed_on() -> None:
    assert heard(AllBlocksCleared(), BlockMoved()) == (Event("cleared"), Event("BlockMoved"))


def test_what_was_said_is_said_once() -> None:
    events = Events(Tree(stored([7], [1])), can(), 1)
    assert len(events.drain()) == 1
    assert events.drain() == ()


def test_a_namespace_is_heard_where_it_is_said() -> None:
    (event,) = heard(stored([7], [1], lora_name=OwnNames().resolve("a")))
    assert event.namespace == "a"
    (event,) = heard(stored([7], [1], lora_name=OwnNames().resolve(None)))
    assert event.namespace == ""


def node(pages: int, namespace: str | None) -> Any:
    return SimpleNamespace(key=type("Key", (list,), {"extra_key": namespace})(range(2 * pages)))


@pytest.mark.parametrize("place", ["tree", "core", "recorder"])
def test_elsewhere_it_is_that_of_the_node(place: str) -> None:
    """The tree announced until 0.5.16, its core until 0.5.18, a part of that since 0.5.19."""
    tree: Any = Tree()
    calls: list[Any] = []

    def record(node: Any, medium: Any = None) -> None:
        calls.append(medium)

    if place == "tree":
        tree._record_store_event = record
    elif place == "core":
        tree.tree_core = SimpleNamespace(_record_store_event=record)
    else:
        tree.tree_core = SimpleNamespace(kv_events=SimpleNamespace(record_store=record))
    events = Events(tree, can(named=False), 2)
    recorder = getattr(tree, "tree_core", tree)
    recorder = getattr(recorder, "kv_events", recorder)
    tell = getattr(recorder, "record_store", None) or recorder._record_store_event
    tell(node(2, "a"))
    tell(node(1, None), medium=CPU)
    assert calls == [None, CPU]
    tree.said = [
        BlockStoredWithMetadata(
            block_hashes=[7, 8, 9],
            parent_block_hash=None,
            token_ids=[1, 2, 3, 4, 5, 6],
            medium=GPU,
        )
    ]
    assert [event.namespace for event in events.drain()] == ["a", "a", ""]


def test_only_what_a_release_has_is_asked_for() -> None:
    assert asked_for(can(events=False, named=False)) == {}
    assert asked_for(can(named=False)) == {"enable_kv_cache_events": True}
    assert asked_for(can()).keys() == {
        "enable_kv_cache_events",
        "dynamo_kv_event_format",
        "kv_event_lora_names",
    }
