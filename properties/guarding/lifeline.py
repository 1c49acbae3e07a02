"""A process of the pool ends with the one that started it, however that ends, and not before.

Killed with SIGKILL, a parent cannot end what it has started; and a child notices only when it next
writes to it, which in a long shrink, or a system that hangs, may be never.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess


def start(process: BaseProcess) -> None:
    """Start a process that never sees Ctrl-C, which a terminal sends to all of them, not even while
    it is being started: it is for the parent to handle, and what was found must get through.
    """
    if not hasattr(signal, "pthread_sigmask"):
        process.start()
        return
    resource_tracker.ensure_running()  # or else it would be started below, and end the blocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()  # it inherits what is blocked
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Let this process, which `multiprocessing` has started, end as soon as its parent has."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    be_killed_with_parent()  # if a system in C lets no thread run, too
    threading.Thread(target=_follow, args=(parent,), name="lifeline", daemon=True).start()


def be_killed_with_parent() -> None:
    """Let the system kill this process as soon as its parent has ended, where it can do so."""
    if sys.platform == "linux":
        set_signal_for_death_of_parent = 1
        ctypes.CDLL(None).prctl(set_signal_for_death_of_parent, signal.SIGKILL)


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)
