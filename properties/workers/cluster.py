"""Searches as tasks of a Ray cluster: the same shards, with the same findings.

Ray places the tasks, and runs those of a node that died on another one. What a task brings back is
all that its search had to tell, so that a shard is kept as a whole or not at all.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any

from radixproof.impl.sglang import names, store
from radixproof.impl.system import Unavailable
from radixproof.properties.search.progress import Progress
from radixproof.properties.workers.lane import Event, Failed, News
from radixproof.properties.workers.shard import Shard
from radixproof.properties.workers.side_by_side import search_all

RETRIES = 10
"""Times that a shard is begun again because its node died."""
AHEAD = 2
"""Tasks for each processor of the cluster that are handed to Ray at a time: it keeps its nodes busy
with these, and a campaign of a hundred thousand shards does not fill its tables.
"""
PATIENCE = 1.0
"""Seconds to wait for a task, before it is seen whether there are more processors now."""


def search_on_cluster(
    shards: Iterable[Shard], address: str, seconds: float | None = None
) -> Generator[Event, None, None]:
    """Search the systems of all shards on a cluster that is running, with radixproof on each node.

    Yields what `search_all` does, but for progress; of a shard all at once. After so many
    ``seconds`` the rest is given up. Raises `Unavailable` without Ray, or a cluster.
    """
    ray = _connected(address)
    task = ray.remote(max_retries=RETRIES)(searched)
    todo, running = deque(shards), dict[Any, Shard]()
    ends = None if seconds is None else time.monotonic() + seconds
    try:
        while (todo or running) and (ends is None or time.monotonic() < ends):
            places = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 0)))
            while todo and len(running) < places:
                shard = todo.popleft()
                running[task.remote(shard)] = shard
            ended, _ = ray.wait([*running], timeout=PATIENCE)
            for one in ended:
                yield from _told(ray, one, running.pop(one))
    finally:
        for one in running:
            with suppress(Exception):
                ray.cancel(one, force=True)
        ray.shutdown()


def searched(shard: Shard) -> list[Event]:
    """The work of a task: all that a search tells but its progress, and its end."""
    _fetch(shard.system)
    return [event for event in search_all([shard], 1) if not _is_progress(event)]


def _fetch(system: str) -> None:
    """A release that this node does not have yet."""
    if names.is_release(system):
        version = names.version_in(system)
        if version not in store.prepared():
            store.add(version, lambda _: None)


def _is_progress(event: Event) -> bool:
    return isinstance(event, News) and isinstance(event.news, Progress)


def _told(ray: Any, one: Any, shard: Shard) -> list[Event]:
    """What a task has brought, or why it has brought nothing."""
    try:
        told: list[Event] = ray.get(one)
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        return [Failed(shard, f"{type(cause).__name__}: {cause}".strip())]
    return told


def _connected(address: str) -> Any:
    try:
        ray: Any = import_module("ray")
    except ImportError:
        raise Unavailable("Ray is not installed here: pip install 'radixproof[cluster]'") from None
    try:
        _answers(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        raise Unavailable(f"there is no Ray cluster at {address}: {error}") from None
    return ray


def _answers(address: str) -> None:
    """Raises OSError if nobody listens there: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()
