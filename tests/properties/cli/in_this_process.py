"""Lanes without processes of their own: for tests that run thousands of commands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import pytest

from radixproof.impl.registry import find
from radixproof.impl.system import close
from radixproof.model.config import Config
from radixproof.properties.campaigns import pool, replaying, searching, side_by_side
from radixproof.properties.campaigns.lane import Event, News, Work, done


class InThisProcess:
    """A lane that does its job when it is given it, and then has all of its events to tell.

    It is its own pipe, and its own process.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.job: Any = None
        self.events: deque[Event] = deque()
        self.pipe = self.process = self

    def is_alive(self) -> bool:
        return True

    def send(self, event: Event) -> None:
        self.events.append(event)

    def give(self, job: Any) -> None:
        self.job = job
        self.send(done(job, self.work, self.send))

    def event(self) -> Event:
        event = self.events.popleft()
        if not isinstance(event, News):
            self.job = None
        return event

    def end(self) -> None:
        self.events.clear()


def lanes_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the end of the test. Histories are replayed in forks of this process, which need not
    import torch anew; searches are not even that, since their systems are our own.
    """
    close(find("radix").build(Config()))
    for module in (pool, side_by_side, replaying):
        monkeypatch.setattr(module, "Lane", InThisProcess)
    for module in (pool, side_by_side):
        monkeypatch.setattr(module, "wait", _with_events)
    monkeypatch.setattr(side_by_side, "guarded", searching.work)


def _with_events(lanes: Iterable[InThisProcess], _: float | None = None) -> list[InThisProcess]:
    return [lane for lane in lanes if lane.events]
