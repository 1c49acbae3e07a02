"""Work for the processes of a pool: what a shard does is said by the name of its system."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from radixproof.impl.system import Unavailable
from radixproof.properties.search.budget import Budget
from radixproof.properties.workers.shard import SEARCH, Shard


def shard(system: str, seed: int = 1) -> Shard:
    return Shard(system, SEARCH, seed, Budget(10, 0))


def work(shard: Shard, tell: Callable[[Any], None]) -> object:
    tell(f"{shard.system} begins")
    match shard.system:
        case "exits":
            os._exit(7)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "unavailable":
            raise Unavailable("it is not here: fetch it")
        case "raises":
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (a traceback that is expected)
            raise KeyError("x")
        case "slow":
            time.sleep(600)
    return os.getpid()
