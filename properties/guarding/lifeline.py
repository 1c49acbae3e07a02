"""A process ends with the one that started it, however that ends.

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
from multiprocessing.process import BaseProcess


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
