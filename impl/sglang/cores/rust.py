"""Trees written in Rust: nodes are numbers, and little of them is shown.

What a node holds on the device is asked for. Its tokens are never told: they follow from the keys
of the operations that made it, since a node ends where a key ended or left the tree, and that end
never moves. Whether SWA has a host copy while it is on the device is not told either: the slots of
backups, and of windows that were fetched, are written down here until they are freed. Of a state
that can be asked: a backup would leave it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from radixproof.impl.observation import ROOT, NodeView, PerComponent, Slots, SlotsPerPool
from radixproof.impl.sglang.cores.paths import AHEAD, Paths
from radixproof.model.config import Component


class Path(NamedTuple):
    """A known node: the key down to its end."""

    namespace: str
    units: tuple[Any, ...]


class RustCore:
    """Implements `core.Core`."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self._core = tree.tree_core
        ways = getattr(self._core, "collect_path_info", None)
        self._ways: Any = ways or Paths(self._core, tree.page_size)
        self._types = {Component(int(kind)): kind for kind in tree.tree_components}
        self._key = Path("", ())
        self._paths: dict[int, Path] = {}
        self._copies: dict[int, list[int]] = {}
        """Slots of the host copies of SWA, by node, which had them before the splits that are still
        to be learned of.
        """
        self._begins: dict[int, int] = {}
        """Where the known nodes begin, before the splits that are still to be learned of."""
        self._highest = 0
        self._ids: dict[int, int] = {}
        self._note_copies()
        self._order_transfers()

    def about(self, namespace: str, units: Sequence[Any]) -> None:
        """The next operation is about this key: nodes that it makes lie on it."""
        self._learn()
        self._key = Path(namespace, tuple(units))

    def depth(self, anchor: int) -> int:
        if self._core.is_root(anchor):
            return 0
        (path,) = self._ways([anchor])
        return int(path[-1].path_end)

    def state(self, anchor: int) -> int | None:
        value = self._core.get_component_device_value(anchor, self._types[Component.MAMBA])
        return None if value is None else int(value.tolist()[0])

    def nodes(self, anew: bool) -> tuple[NodeView, ...]:
        """By number, but parents before children."""
        self._learn()
        infos = {info.node_id: info for path in self._known() for info in path}
        marked = {
            node
            for entry in self._tree.ongoing_write_through.values()
            for node in entry.publish_node_ids
        }
        ordered = sorted(infos.values(), key=lambda info: (info.path_end, info.node_id))
        for info in ordered:
            self._ids.setdefault(info.node_id, len(self._ids) + 1)
        return tuple(self._view(info, info.node_id in marked) for info in ordered)

    def evictable(self) -> PerComponent:
        return self._sizes("evictable")

    def protected(self) -> PerComponent:
        return self._sizes("protected")

    def leaves(self, on_host: bool) -> frozenset[int] | None:
        return None

    def lru_lists(self) -> tuple[Slots, Slots, Slots, Slots] | None:
        return None

    # -- which nodes there are -----------------------------------------------------------------

    def _learn(self) -> None:
        """Take note of the nodes that were made since the last time."""
        new = {}
        for number in range(self._highest + 1, self._highest + AHEAD):
            path = self._path(number)
            if path is not None:
                self._highest = number
                if path:
                    new[number] = Path(self._key.namespace, self._key.units[: path[-1].path_end])
        if new:
            self._paths |= new
            self._pass_on()

    def _pass_on(self) -> None:
        """The parts of a split node share the slots of its copy of SWA."""
        for path in self._known():
            last = path[-1]
            begin = self._begins.get(last.node_id, last.path_start)
            slots = self._copies.get(last.node_id)
            if slots and begin < last.path_start:
                self._share(slots, begin, path)
            self._begins[last.node_id] = last.path_start

    def _share(self, slots: Sequence[int], first: int, path: Sequence[Any]) -> None:
        """Of the slots of ``first`` and what follows it, the nodes of a path get theirs."""
        for info in path:
            if info.path_start >= first:
                part = slots[info.path_start - first : info.path_end - first]
                self._copies[info.node_id] = list(part)

    def _known(self) -> Iterator[Any]:
        """The paths of all nodes that are still there; the others are forgotten."""
        for number in list(self._paths):
            path = self._path(number)
            if path:
                yield path
            else:
                del self._paths[number]
                self._begins.pop(number, None)
                self._copies.pop(number, None)

    def _path(self, number: int) -> Any:
        """From the root, which is left out, to a node; None if it is gone."""
        try:
            (path,) = self._ways([number])
        except KeyError:
            return None
        return path

    # -- what they hold ------------------------------------------------------------------------

    def _view(self, info: Any, marked: bool) -> NodeView:
        number, path = info.node_id, self._paths[info.node_id]
        above = self._ids.get(info.parent_id)
        return NodeView(
            id=self._ids[number],
            parent=ROOT if above is None else above,
            namespace=path.namespace,
            segment=path.units[info.path_start : info.path_end],
            slots=self._slots(number, info.path_end - info.path_start),
            pending=marked,
        )

    def _slots(self, number: int, length: int) -> SlotsPerPool:
        full, swa, mamba = (self._on_device(number, component) for component in Component)
        sizes = (length, length, 1)
        on_host = (
            self._core.is_backuped(number),
            self._swa_on_host(number, swa),
            self._state_on_host(number, mamba),
        )
        full_host, swa_host, mamba_host = (
            tuple(range(size)) if there else None
            for size, there in zip(sizes, on_host, strict=True)
        )
        return full, swa, mamba, full_host, swa_host, mamba_host

    def _on_device(self, number: int, component: Component) -> Slots | None:
        if component not in self._types:
            return None
        value = self._core.get_component_device_value(number, self._types[component])
        return None if value is None else tuple(value.tolist())

    def _swa_on_host(self, number: int, device: Slots | None) -> bool:
        if device is None:
            return self._on_host_only(number, Component.SWA)
        return number in self._copies

    def _state_on_host(self, number: int, device: Slots | None) -> bool:
        if device is None:
            return self._on_host_only(number, Component.MAMBA)
        _, lacking = self._core.build_backup_spec(number)
        return self._types[Component.MAMBA] not in lacking

    def _on_host_only(self, number: int, component: Component) -> bool:
        if component not in self._types:
            return False
        return bool(self._core.component_has_host_value_only(number, self._types[component]))

    # -- which copies of SWA there are ---------------------------------------------------------

    def _note_copies(self) -> None:
        if Component.SWA in self._types:
            self._note_backups()
            self._note_windows()
            self._note_freed()

    def _note_backups(self) -> None:
        """Every backup that is committed gives the SWA of some nodes a host copy, and to make room
        for it an insert may take nodes from the host that it has just split.
        """
        commit = self._core.commit_backup

        def noted(node: int, host_slots: Any, transfers: Any) -> Any:
            self._learn()
            done = commit(node, host_slots, transfers)
            for transfer in transfers.get(self._types[Component.SWA], ()):
                slots = transfer.host_indices.tolist()
                for one in transfer.nodes_to_load or [node]:
                    (*_, info) = self._path(one)
                    length = info.path_end - info.path_start
                    self._copies[one], slots = slots[:length], slots[length:]
            return done

        evict = self._core.drive_host_eviction

        def learned(*args: Any) -> Any:
            self._learn()  # what was split may be gone afterwards
            return evict(*args)

        self._core.commit_backup, self._core.drive_host_eviction = noted, learned

    def _note_windows(self) -> None:
        """So does every window that was fetched, but for what of it is freed again."""
        commit = self._core.commit_hicache_transfers

        def noted(*args: Any, cache_actions: list[Any], insert_result: Any, **told: Any) -> None:
            _, _, transfers = args
            self._learn()
            commit(*args, cache_actions=cache_actions, insert_result=insert_result, **told)
            self._learn()
            swa = self._types[Component.SWA]
            freed = {
                slot
                for action in cache_actions
                if getattr(action, "component_type", None) == swa
                for slots in action.host_indices
                for slot in slots.tolist()
            }
            for transfer in transfers.get(swa, ()):
                self._take_window(insert_result.inserted_host_node, transfer.host_indices, freed)

        self._core.commit_hicache_transfers = noted

    def _take_window(self, end: int | None, window: Any, freed: set[int]) -> None:
        """Nodes down to ``end`` have what of its window was not freed."""
        if end is None:
            return
        path = self._path(end)
        first = path[-1].path_end - len(window)
        for info in path:
            part = window[max(0, info.path_start - first) : max(0, info.path_end - first)].tolist()
            if part and freed.isdisjoint(part):
                self._copies[info.node_id] = part

    def _note_freed(self) -> None:
        """A copy is gone when its slots are freed."""
        swa = self._tree.components[self._types[Component.SWA]]
        free = swa.free_host_values

        def noted(values: list[Any]) -> None:
            freed = {slot for value in values for slot in value.tolist()}
            for node, slots in list(self._copies.items()):
                if not freed.isdisjoint(slots):
                    del self._copies[node]
            free(values)

        swa.free_host_values = noted

    # -- what it leaves to chance --------------------------------------------------------------

    def _order_transfers(self) -> None:
        """What a copy consists of comes by component. Before 0.5.21 that is in an order that
        differs from cache to cache.
        """

        def ordered(build: Callable[..., Any]) -> Callable[..., Any]:
            def built(*args: Any, **named: Any) -> Any:
                full, others = build(*args, **named)
                return full, dict(sorted(others.items()))

            return built

        core = self._core
        core.build_backup_spec = ordered(core.build_backup_spec)
        core.build_load_back_spec = ordered(core.build_load_back_spec)

    # -- sizes ---------------------------------------------------------------------------------

    def _sizes(self, of: str) -> PerComponent:
        full, swa, mamba = (
            getattr(self._core, f"{component.name.lower()}_{of}_size")()
            if component in self._types
            else 0
            for component in Component
        )
        return full, swa, mamba
