"""Stand-ins for the threads of SGLang's controller: none ever runs.

The body of each is called when a history says so, and ends when it has nothing left to do.
"""

from __future__ import annotations

import sys
import threading
import types
from typing import Any


class IdleThread:
    """Is started and joined as a thread is, and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def start(self) -> None:
        pass

    def join(self, *_: Any, **__: Any) -> None:
        pass

    def is_alive(self) -> bool:
        return False


IDLE_THREADS = types.SimpleNamespace(**{**vars(threading), "Thread": IdleThread})
"""Stands in for the module ``threading``."""


class Turns:
    """Stands in for the event that tells the threads of a controller to stop."""

    def __init__(self, controller: Any) -> None:
        self._controller = controller
        self._queue: Any = None
        self._left = 0

    def let(self, body: str, queue: str, most: int = sys.maxsize) -> None:
        """Let a thread do what is in its queue, or so much of it."""
        self._queue, self._left = getattr(self._controller, queue), most
        getattr(self._controller, body)()

    def is_set(self) -> bool:
        """Asked before each thing that a thread does."""
        self._left -= 1
        return self._left < 0 or bool(self._queue.empty())

    def set(self) -> None:
        """Threads that do not run need not be stopped."""

    clear = set
