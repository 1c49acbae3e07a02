"""The process pool under every campaign.

Why not `concurrent.futures`: a search sends news long before it has a result; two releases of
SGLang cannot share a process; and when a process dies, its shard must be named while the others go
on, whereas there a dead process breaks the whole pool. So this is built on `multiprocessing`.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias

from radixproof.impl.registry import UnknownSystem
from radixproof.impl.system import Unavailable
from radixproof.properties.campaigns.lifeline import end_with_parent
from radixproof.properties.campaigns.shard import Shard
from radixproof.properties.histories.history_json import HistoryError


@dataclass(frozen=True, slots=True)
class News:
    """Something that a shard reports while it runs."""

    shard: Shard
    news: Any


@dataclass(frozen=True, slots=True)
class ShardDone:
    """The end of a shard, and its result."""

    shard: Shard
    result: Any


@dataclass(frozen=True, slots=True)
class ShardFailed:
    """The end of a shard that could not be run, or whose process died: why, and what to do."""

    shard: Shard
    reason: str


Event: TypeAlias = News | ShardDone | ShardFailed
Work: TypeAlias = Callable[[Shard, Callable[[Any], None]], Any]
"""What a process does with a shard.

It is given a function that sends news. All that passes through is plain data.

It is a function of a module, so that another process can import it.
"""


def run(
    shards: Iterable[Shard], work: Work, jobs: int, reuse: bool = True
) -> Generator[Event, None, None]:
    """Run shards, ``jobs`` at a time; yields events as they come, one end for each shard.

    Without ``reuse`` every shard has a process of its own. Closing or interrupting the generator
    ends what is running.
    """
    todo, lanes = deque(shards), list[_Lane]()
    try:
        while todo or lanes:
            while todo and len(lanes) < jobs:
                lanes.append(_Lane(work, todo.popleft()))
            ready = wait([lane.pipe for lane in lanes])
            for lane in [lane for lane in lanes if lane.pipe in ready]:
                event = lane.event()
                if not isinstance(event, News):
                    if reuse and todo and lane.process.is_alive():
                        lane.give(todo.popleft())
                    else:
                        lane.end()
                        lanes.remove(lane)
                yield event
    finally:
        for lane in lanes:
            lane.end()


class _Lane:
    """A process that runs one shard after another."""

    def __init__(self, work: Work, shard: Shard) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.give(shard)

    def give(self, shard: Shard) -> None:
        self.shard = shard
        with suppress(OSError):  # if it is dead, `event` will find that
            self.pipe.send(shard)

    def event(self) -> Event:
        """What the process sends next; its death is an event, too."""
        try:
            event: Event = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            how = _ending(self.process.exitcode or 0)
            return ShardFailed(
                self.shard, f"the process that ran {self.shard} ended without a result ({how})"
            )
        return event

    def end(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


def _ending(code: int) -> str:
    """``exit code 3``, or the signal that killed a process."""
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"


def _serve(pipe: Connection, work: Work) -> None:
    """What a process does: run shards until there are no more."""
    end_with_parent()
    # Ctrl-C is for the parent to handle: what was found must get through.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while True:
            shard: Shard = pipe.recv()
            pipe.send(_run(shard, work, pipe))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        sys.exit(1)


def _run(shard: Shard, work: Work, pipe: Connection) -> ShardDone | ShardFailed:
    def tell(news: Any) -> None:
        pipe.send(News(shard, news))

    try:
        return ShardDone(shard, work(shard, tell))
    except (Unavailable, UnknownSystem, HistoryError) as error:
        return ShardFailed(shard, str(error))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        traceback.print_exc()
        return ShardFailed(
            shard,
            f"radixproof itself failed ({type(error).__name__}) while it ran {shard};"
            " please report this",
        )
