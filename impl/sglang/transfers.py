"""Copies of one cache that are under way: performed when told, acknowledged by SGLang's own checks.

SGLang's controller queues an entry per submitted copy, with the event that marks its completion,
until one of the tree's checks acknowledges it. A load-back is submitted as soon as the tree has
asked for it: each is a copy of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from typing import Any, NamedTuple
from unittest import mock

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.copies import Stream
from radixproof.impl.sglang.parts import Parts

_AGREE = "_sync_hicache_ready_counts"
"""What newer trees agree on counts with: of backups, of load-backs, of what storage has done."""


class Loading(NamedTuple):
    """A load-back in flight: the device slots of the states that it brings, with the host slots
    that these come from.
    """

    finished: Any
    states: Mapping[int, int]


class Transfers:
    """Backups and load-backs of one cache. Without a host tier there are none."""

    def __init__(self, sglang: Sglang, parts: Parts) -> None:
        self._sglang = sglang
        self._tree = parts.tree
        self._loading: list[Loading] = []
        self._forgotten: list[Any] = []
        """Ends of copies that a reset forgot: they are still in their streams."""
        self._queues = sglang.capabilities.queued_backups

    def fence(self, forward: Stream) -> None:
        """Newer releases let copies wait for the forward passes that the scheduler has launched
        (load-backs since 0.5.19, backups since 0.5.23), if it says in which stream they are.
        """
        for name in ("load_fence_stream", "write_fence_stream"):
            if hasattr(self._tree.cache_controller, name):
                setattr(self._tree.cache_controller, name, forward)

    def run(self, count: int, load: bool) -> int:
        """Perform up to ``count`` copies of one direction, oldest first; returns how many.

        Before them all those that are forgotten, which do not count.
        """
        for event in self._forgotten:
            event.reach()
        self._forgotten = []
        waiting = [entry for entry in self._queue(load) if not entry.finish_event.reached][:count]
        for entry in waiting:
            entry.finish_event.reach()
        return len(waiting)

    def copied(self, load: bool) -> int:
        """How many an unlimited poll would acknowledge."""
        return len(list(takewhile(lambda entry: entry.finish_event.reached, self._queue(load))))

    def forget(self) -> None:
        """The tree is about to be reset: it will not know what is in flight any more."""
        for load in (False, True):
            self._forgotten += [entry.finish_event for entry in self._queue(load)]
        self._loading = []

    def in_flight(self) -> int:
        """How many have not been acknowledged, with those that are still to be submitted."""
        controller = self._tree.cache_controller
        waiting = controller.write_queue if self._queues and controller is not None else ()
        return len(waiting) + sum(len(self._queue(load)) for load in (False, True))

    def writing_check(self, blocking: bool, limit: int | None) -> int:
        """Before its scheduler polls, newer releases submit what inserts have queued, as one."""
        if self._queues:
            self._tree.flush_pending_backups()
        if blocking:
            check = partial(self._tree.writing_check, write_back=True)
            return self._acknowledged(False, check, limit)
        return self._acknowledged(False, partial(self._poll, load=False), limit)

    def loading_check(self, blocking: bool, limit: int | None) -> int:
        """SGLang itself never blocks here: its requests wait for the layers that they need."""
        if blocking:
            self.run(len(self._queue(load=True)), load=True)
        return self._acknowledged(True, partial(self._poll, load=True), limit)

    def _poll(self, load: bool) -> None:
        """As the scheduler does it, which agrees with other ranks on all counts at once where the
        tree can (0.5.19).
        """
        check = self._tree.loading_check if load else self._tree.writing_check
        if hasattr(self._tree, _AGREE):
            check(finish_count=getattr(self._tree, _AGREE)()[load])
        else:
            check()

    @property
    def loads_asked_for(self) -> bool:
        """Whether the tree has asked for any that are not submitted yet."""
        controller = self._tree.cache_controller
        return controller is not None and bool(controller.load_queue)

    def start_loading(self) -> int:
        """Submit the loads that the tree has asked for, as the scheduler does before a batch.

        Returns their FULL tokens.
        """
        if not self.loads_asked_for:
            return 0
        controller = self._tree.cache_controller
        asked = list(controller.load_queue)
        self._tree.ready_to_load_host_cache()
        event = controller.ack_load_queue[-1].finish_event
        self._loading = [load for load in self._loading if not load.finished.reached]
        self._loading.append(Loading(event, _states_brought(asked)))
        return sum(len(operation.device_indices) for operation in asked)

    @property
    def loads(self) -> list[Any]:
        """The events that end the load-backs in flight."""
        return [entry.finish_event for entry in self._queue(load=True)]

    def arriving(self, state: int | None) -> int | None:
        """The host slot from which a load-back in flight brings the state of a device slot."""
        for load in self._loading:
            if state is not None and state in load.states and not load.finished.reached:
                return load.states[state]
        return None

    def _queue(self, load: bool) -> list[Any]:
        controller = self._tree.cache_controller
        if controller is None:
            return []
        queue: list[Any] = controller.ack_load_queue if load else controller.ack_write_queue
        return queue

    def _acknowledged(self, load: bool, check: Callable[[], None], limit: int | None) -> int:
        before = len(self._queue(load))
        with self._other_ranks(limit, load):
            check()
        return before - len(self._queue(load))

    @contextmanager
    def _other_ranks(self, limit: int | None, load: bool) -> Iterator[None]:
        """Within the block the tree has peers, and the minimum over all is ``limit`` at most."""

        def reduce(counts: Any, **_: Any) -> None:
            # Where several numbers are agreed upon these two are first; others are the same on
            # every rank.
            every = counts.reshape(-1)
            at = int(load) if len(every) > 1 and hasattr(self._tree, _AGREE) else 0
            every[at : at + 1].clamp_(max=limit)

        if limit is None:
            yield
            return
        with (
            mock.patch.object(self._tree, "tp_world_size", 2),
            mock.patch.object(self._sglang.torch.distributed, "all_reduce", reduce),
        ):
            yield


def _states_brought(operations: list[Any]) -> dict[int, int]:
    """Of the device slots of states that these load-backs fill: from which host slots."""
    return {
        target: source
        for operation in operations
        for transfer in getattr(operation, "pool_transfers", None) or ()
        if transfer.name == "mamba"
        for target, source in zip(
            transfer.device_indices.tolist(), transfer.host_indices.tolist(), strict=True
        )
    }
