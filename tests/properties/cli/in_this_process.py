"""Lanes without processes of their own: for tests that run thousands of commands."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest

from radixproof.properties.guarding.child import Returned, Tell
from radixproof.properties.workers import pool, replaying, searching, side_by_side
from radixproof.properties.workers.lane import Event, News, Work, done

T = TypeVar("T")


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
    """Until the end of the test. Nor are there children: the systems are our own, and come back."""
    for module in (pool, side_by_side, replaying):
        monkeypatch.setattr(module, "Lane", InThisProcess)
    for module in (pool, side_by_side):
        monkeypatch.setattr(module, "wait", _with_events)
    monkeypatch.setattr(side_by_side, "guarded", searching.work)
    monkeypatch.setattr(replaying, "in_child", _here)


def _here(
    work: Callable[[Tell], T], tell: Tell = lambda _: None, *_: object, **__: object
) -> Returned[T]:
    return Returned(work(tell), 0.0)


def _with_events(lanes: Iterable[InThisProcess], _: float | None = None) -> list[InThisProcess]:
    return [lane for lane in lanes if lane.events]
