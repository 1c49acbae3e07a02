"""A server to be recorded, without a GPU: requests that share beginnings, of a release of SGLang.

They go through SGLang's own functions of a request, as its scheduler calls them; the model's
computations are left out. ``python serve.py sglang==0.5.12.post1 --rounds 400 --killed``
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from random import Random

from radixproof import (
    Abort,
    Arrive,
    Config,
    Decode,
    Finish,
    Key,
    LoadingCheck,
    Operation,
    Prefill,
    RunCopies,
    WritingCheck,
    find,
)
from radixproof.properties.performing.performer import Performer

CONFIG = Config(
    page_size=4,
    window=8,
    device_pages=24,
    swa_pages=16,
    host_pages=60,
    swa_host_pages=60,
)
PROMPTS, AT_ONCE, VOCABULARY = 6, 4, 9000


class Server:
    """A scheduler with a few requests at a time."""

    def __init__(self, system: str, random: Random) -> None:
        self.random = random
        self.performer = Performer(find(system), CONFIG)
        self.beginnings = [self.tokens(20, 20) for _ in range(PROMPTS)]
        self.alive: list[str] = []
        self.begun = 0

    def tokens(self, least: int, most: int) -> tuple[int, ...]:
        count = self.random.randint(least, most)
        return tuple(self.random.randrange(VOCABULARY) for _ in range(count))

    def do(self, *operations: Operation) -> None:
        for operation in operations:
            for _ in self.performer.perform(operation):
                pass

    def step(self) -> None:
        """There may be a request more; one of them goes on; then copies are looked at."""
        if len(self.alive) < AT_ONCE:
            self.begun += 1
            self.alive.append(f"request {self.begun}")
            begin = self.random.choice(self.beginnings)[: self.random.randint(0, 20)]
            self.do(Arrive(self.alive[-1], Key(begin + self.tokens(1, 11))))
        one = self.random.choice(self.alive)
        if self.performer.ledger.left_of(one):
            self.do(Prefill(one, self.random.randint(1, 11)))
        elif self.random.random() < 0.5:
            self.do(Decode(one, self.tokens(1, 5)))
        else:
            self.alive.remove(one)
            self.do(Finish(one) if self.random.random() < 0.9 else Abort(one))
        self.do(RunCopies(2), RunCopies(1, load=True), WritingCheck(), LoadingCheck())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", help="for example sglang==0.5.23")
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--killed", action="store_true", help="end by kill -9, not by itself")
    options = parser.parse_args()
    server = Server(options.system, Random(7))
    for _ in range(options.rounds):
        server.step()
    if options.killed:
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
