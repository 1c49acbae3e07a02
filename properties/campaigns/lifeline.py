"""A process of the pool ends with the one that started it, however that ends.

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
    if sys.platform == "linux":
        # Also if the thread below never runs, since a system hangs in C and keeps the interpreter.
        set_signal_for_death_of_parent = 1
        ctypes.CDLL(None).prctl(set_signal_for_death_of_parent, signal.SIGKILL)
    threading.Thread(target=_follow, args=(parent,), name="lifeline", daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)
