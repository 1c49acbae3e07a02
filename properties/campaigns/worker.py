"""A search in a process of its own: one process drives one system, and a crash of it takes nothing else along.

The worker sends plain tuples; everything that is shown or written is made here, where the system is, so that the parent needs none.
"""

from __future__ import annotations

import multiprocessing
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeAlias

from radixproof.impl import registry
from radixproof.impl.operations import History
from radixproof.impl.system import Target, Unavailable, close
from radixproof.properties.generating.configs import plainest
from radixproof.properties.histories.corpus import read
from radixproof.properties.histories.history_json import HistoryError, to_json
from radixproof.properties.reporting import regression_test
from radixproof.properties.reporting.report import report, slug, summary
from radixproof.properties.search.search import Budget, Found, Progress, calm_collector, search


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding, ready to be shown and written: the files it consists of, by name."""

    signature: str
    summary: str
    report: str
    files: dict[str, str]
    seconds: float
    """Since the search began."""
    at_step: int
    operations: int


@dataclass(frozen=True, slots=True)
class Finished:
    progress: Progress
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The system could not be run; why, and what to do."""

    reason: str


Message: TypeAlias = Progress | Finding | Finished | Failed


def searching(
    name: str, seed: int, budget: Budget, folder: str, corpus: Path | None = None
) -> Iterator[Message]:
    """Search the system called ``name`` in a process of its own; messages as they come, `Finished` or `Failed` last.

    What is in the folder ``corpus`` is replayed first.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_work, args=(theirs, name, seed, budget, folder, corpus), daemon=True
    )
    process.start()
    theirs.close()
    try:
        while True:
            message: Message = ours.recv()
            yield message
            if isinstance(message, Finished | Failed):
                return
    except EOFError:
        process.join()
        yield Failed(
            f"the process that ran {name} ended without a word (exit code {process.exitcode})"
        )
    finally:
        process.terminate()
        process.join()


def _work(
    pipe: Connection, name: str, seed: int, budget: Budget, folder: str, corpus: Path | None
) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is the parent's to handle: what was found must get through.
    started = time.monotonic()
    sent = 0.0

    def tell(news: Progress | Found) -> None:
        nonlocal sent
        if isinstance(news, Found):
            pipe.send(_finding(target, news, folder, time.monotonic() - started))
        elif time.monotonic() - sent > 0.1:
            sent = time.monotonic()
            pipe.send(news)

    try:
        target = registry.find(name)
        # It imports what it needs, before the clock of the search starts.
        close(target.build(plainest(target.scope)))
        calm_collector()
        started = time.monotonic()
        done = search(
            target,
            seed,
            budget,
            tell,
            [entry.history for entry in read(corpus)] if corpus is not None else (),
        )
        pipe.send(Finished(done, time.monotonic() - started))
    except (Unavailable, registry.UnknownSystem, HistoryError) as error:
        pipe.send(Failed(str(error)))
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        traceback.print_exc()
        reason = f"radixproof itself failed ({type(error).__name__}) while it checked {name} with seed {seed}; please report this"
        pipe.send(Failed(reason))


def _finding(target: Target, found: Found, folder: str, seconds: float) -> Finding:
    name = slug(found.signature)
    origin = {
        "system": target.name,
        "seed": str(found.seed),
        "driver": found.driver,
        "signature": found.signature,
    }
    history = History(found.history.config, found.history.operations, origin)
    test = f"test_{name.replace('-', '_')}.py"
    replay = shlex.join(["radixproof", "replay", f"{folder}/{name}.json"])
    text = report(target, found, replay, regression_test.command(target.name, f"{folder}/{test}"))
    files = {
        f"{name}.json": to_json(history),
        f"{name}.txt": text,
        test: regression_test.test(target.name, history, found.verdict.breach),
    }
    return Finding(
        found.signature,
        summary(found),
        text,
        files,
        seconds,
        found.at_step,
        len(history.operations),
    )
