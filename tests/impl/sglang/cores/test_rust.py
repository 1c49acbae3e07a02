"""What is known of a tree in Rust, on a stand-in that shows as little as the real one."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from radixproof.impl.observation import ROOT, NodeView
from radixproof.impl.sglang.cores.rust import RustCore
from radixproof.model.config import Component

FULL, SWA, MAMBA = 0, 1, 2


class Native:
    """Numbers its nodes as the real core does, root first. Nodes are (parent, start, end)."""

    def __init__(self) -> None:
        self.nodes: dict[int, tuple[int, int, int]] = {1: (0, 0, 0)}
        self.device: dict[tuple[int, int], list[int]] = {}
        self.on_host: set[tuple[int, int]] = set()
        self.last = 1

    def add(self, parent: int, start: int, end: int) -> int:
        self.last += 1
        self.nodes[self.last] = (parent, start, end)
        self.device[self.last, FULL] = list(range(start, end))
        return self.last

    def split(self, node: int, at: int) -> int:
        parent, start, end = self.nodes[node]
        upper = self.add(parent, start, at)
        self.nodes[node] = (upper, at, end)
        return upper

    def is_root(self, node: int) -> bool:
        return node == 1

    def collect_path_info(self, ends: Sequence[int]) -> list[list[Any]]:
        (node,) = ends
        path: list[Any] = []
        while node != 1:
            parent, start, end = self.nodes[node]
            names = {"node_id": node, "parent_id": parent, "path_start": start, "path_end": end}
            path.insert(0, SimpleNamespace(**names))
            node = parent
        return [path]

    def is_backuped(self, node: int) -> bool:
        return (node, FULL) in self.on_host

    def component_has_host_value_only(self, node: int, kind: int) -> bool:
        return (node, kind) in self.on_host and (node, kind) not in self.device

    def get_component_device_value(self, node: int, kind: int) -> Any:
        slots = self.device.get((node, kind))
        return None if slots is None else SimpleNamespace(tolist=lambda: slots)

    def commit_backup(self, node: int, host_slots: Any, transfers: Any) -> None:
        self.on_host.add((node, FULL))

    def commit_hicache_transfers(
        self,
        anchor: int,
        phase: Any,
        transfers: Any,
        *,
        cache_actions: list[Any],
        insert_result: Any,
        freed: Sequence[int] = (),
    ) -> None:
        if freed:
            slots = SimpleNamespace(tolist=lambda: freed)
            cache_actions.append(SimpleNamespace(component_type=SWA, host_indices=[slots]))

    def build_backup_spec(self, node: int) -> tuple[Any, dict[int, Any]]:
        lacking = [
            kind for at, kind in self.device if at == node and (at, kind) not in self.on_host
        ]
        return None, dict.fromkeys(lacking)

    def build_load_back_spec(self, node: int) -> tuple[Any, dict[int, Any]]:
        return None, {MAMBA: [], SWA: []}

    def drive_host_eviction(self, *_: Any) -> None:
        pass

    def free_host_values(self, values: Sequence[Any]) -> None:
        pass

    def full_evictable_size(self) -> int:
        return 10

    def swa_evictable_size(self) -> int:
        return 11

    def mamba_evictable_size(self) -> int:
        return 12


def made() -> tuple[Native, RustCore, dict[int, Any]]:
    native, marks = Native(), dict[int, Any]()
    tree = SimpleNamespace(
        tree_core=native,
        tree_components=(FULL, SWA, MAMBA),
        components={SWA: native},
        ongoing_write_through=marks,
    )
    return native, RustCore(tree), marks


def shown(core: RustCore) -> dict[tuple[Any, ...], NodeView]:
    return {view.segment: view for view in core.nodes(True)}


def test_tokens_follow_from_the_keys_of_operations() -> None:
    native, core, _ = made()
    core.about("a", (7, 8, 9))
    leaf = native.add(1, 0, 3)
    core.about("a", (7, 1))
    upper = native.split(leaf, 1)
    other = native.add(upper, 1, 2)
    views = shown(core)
    assert views.keys() == {(7,), (8, 9), (1,)}
    assert views[7,].parent == ROOT
    assert views[8, 9].parent == views[1,].parent == views[7,].id
    assert {view.namespace for view in views.values()} == {"a"}
    assert (core.depth(leaf), core.depth(other), core.depth(1)) == (3, 2, 0)


def test_a_node_that_is_gone_is_forgotten_and_its_number_not_used_again() -> None:
    native, core, _ = made()
    core.about("", (7, 8))
    leaf = native.add(1, 0, 2)
    first = shown(core)[7, 8].id
    del native.nodes[leaf]
    core.about("", (5,))
    native.add(1, 0, 1)
    views = shown(core)
    assert views.keys() == {(5,)}
    assert views[5,].id != first


def test_aux_values_have_the_host_copies_that_backups_gave_them() -> None:
    native, core, marks = made()
    core.about("", (7, 8))
    leaf = native.add(1, 0, 2)
    native.device[leaf, SWA] = [1, 2]
    assert shown(core)[7, 8].slots == ((0, 1), (1, 2), None, None, None, None)
    transfer = SimpleNamespace(nodes_to_load=[leaf], host_indices=Slots((5, 6)))
    native.commit_backup(leaf, None, {SWA: [transfer]})
    marks[leaf] = SimpleNamespace(publish_node_ids=[leaf])
    view = shown(core)[7, 8]
    assert view.pending
    assert [slots is not None for slots in view.slots] == [True, True, False, True, True, False]


def test_both_halves_of_a_split_node_have_its_host_copy_even_if_one_is_gone_by_then() -> None:
    native, core, _ = made()
    core.about("", (7, 8))
    leaf = native.add(1, 0, 2)
    native.device[leaf, SWA] = [1, 2]
    backup = SimpleNamespace(nodes_to_load=None, host_indices=Slots((5, 6)))
    native.commit_backup(leaf, None, {SWA: [backup]})
    core.about("", (7,))
    upper = native.split(leaf, 1)
    native.device[upper, SWA] = [1]
    native.drive_host_eviction()
    del native.nodes[leaf]
    assert shown(core)[7,].slots[3 + Component.SWA] is not None


def test_a_copy_is_gone_when_its_slots_are_freed() -> None:
    native, core, _ = made()
    core.about("", (7, 8))
    leaf = native.add(1, 0, 2)
    backup = SimpleNamespace(nodes_to_load=None, host_indices=Slots((5, 6)))
    native.commit_backup(leaf, None, {SWA: [backup]})
    core.about("", (7,))
    upper = native.split(leaf, 1)
    for node in (upper, leaf):
        native.device[node, SWA] = [node]
    shown(core)
    native.free_host_values([Slots((5,))])
    views = shown(core)
    assert views[7,].slots[3 + SWA] is None
    assert views[8,].slots[3 + SWA] is not None


def test_what_a_copy_consists_of_comes_in_order() -> None:
    native, _, _ = made()
    _, transfers = native.build_load_back_spec(1)
    assert list(transfers) == [SWA, MAMBA]


def test_a_window_that_was_fetched_is_a_host_copy_but_for_what_was_freed() -> None:
    native, core, _ = made()
    core.about("", (7, 8, 9))
    upper = native.add(1, 0, 2)
    lower = native.add(upper, 2, 3)
    for node in (upper, lower):
        native.device[node, SWA] = [1] * (1 + (node == upper))
    window = Slots((4, 5, 6))
    transfers = {SWA: [SimpleNamespace(host_indices=window)]}
    for freed, there in (((6,), {upper}), ((4, 5), {upper, lower})):
        native.commit_hicache_transfers(
            1,
            "prefetch",
            transfers,
            cache_actions=[],
            insert_result=SimpleNamespace(inserted_host_node=lower),
            freed=freed,
        )
        views = {upper: shown(core)[7, 8], lower: shown(core)[9,]}
        assert {node for node, view in views.items() if view.slots[3 + SWA]} == there


class Slots(tuple[int, ...]):
    """Slots, as a tensor has them."""

    def tolist(self) -> list[int]:
        return list(self)

    def __getitem__(self, at: Any) -> Any:
        return SimpleNamespace(tolist=lambda: list(tuple(self)[at]))


def test_a_state_has_a_host_copy_if_a_backup_would_leave_it_out() -> None:
    native, core, _ = made()
    core.about("", (7, 8))
    leaf = native.add(1, 0, 2)
    for on_device, on_host in [(True, False), (True, True), (False, True), (False, False)]:
        native.device.pop((leaf, MAMBA), None)
        if on_device:
            native.device[leaf, MAMBA] = [5]
            assert core.state(leaf) == 5
        native.on_host = {(leaf, MAMBA)} if on_host else set()
        *_, state, _, _, copy = shown(core)[7, 8].slots
        assert (state, copy) == ((5,) if on_device else None, (0,) if on_host else None)


def test_sizes_are_asked_for_and_lists_are_not_shown() -> None:
    _, core, _ = made()
    assert core.evictable() == (10, 11, 12)
    assert core.leaves(on_host=False) is None
    assert core.lru_lists() is None
