"""SGLang recorded, of the releases that are there: through its own functions of a request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from radixproof.impl.recording import autoload
from radixproof.impl.sglang import store
from radixproof.impl.sglang.releases import DRIVEN
from radixproof.properties.cli.exit_codes import CLEAN, FOUND
from radixproof.properties.cli.main import main
from radixproof.properties.histories.history_json import from_json

from ...releases import again

SEED, NEWEST = f"sglang=={DRIVEN[0]}", f"sglang=={DRIVEN[-1]}"
WINDOWED = "page_size=4, window=8, swa_pages=16, swa_host_pages=60, device_pages=24, host_pages=60"
SERVER = """
import os, signal, sys
from pathlib import Path
from random import Random
from radixproof.impl.operations import *
from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.performing.performer import Performer

random, system = Random(7), Performer(find(sys.argv[1]), Config({config}))
roots = [tuple(random.randrange(9000) for _ in range(20)) for _ in range(6)]
alive, begun = [], 0

def more(most):
    return tuple(random.randrange(9000) for _ in range(random.randrange(1, most)))

def do(*operations):
    for operation in operations:
        for _ in system.perform(operation):
            pass

for _ in range({rounds}):
    if len(alive) < 4:
        alive.append(f"q{{begun}}")
        begun += 1
        do(Arrive(alive[-1], Key(random.choice(roots)[: random.randrange(21)] + more(12))))
    one = random.choice(alive)
    if system.ledger.left_of(one):
        do(Prefill(one, random.randrange(1, 12)))
    elif random.random() < 0.5:
        do(Decode(one, more(6)))
    else:
        alive.remove(one)
        do(Finish(one) if random.random() < 0.9 else Abort(one))
    do(RunCopies(2), RunCopies(1, load=True), WritingCheck(), LoadingCheck())
{end}
"""
KILLED = "import time; time.sleep(1); os.kill(os.getpid(), signal.SIGKILL)"


def serve(system: str, folder: Path, rounds: int, end: str = "") -> int:
    """Requests through a release, in a process that is recorded from outside; its exit code."""
    started = f"import {autoload.__name__} as entry\nentry.watch()\n"
    script = started + SERVER.format(config=WINDOWED, rounds=rounds, end=end)
    ran = subprocess.run(
        [sys.executable, "-c", script, system],
        env={**os.environ, autoload.FOLDER: str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.stderr, ran.stderr
    return ran.returncode


def prepared(system: str) -> None:
    if system.partition("==")[2].partition("+")[0] not in store.prepared():
        pytest.skip(f"needs {system}: radixproof systems add {system}")


@pytest.mark.sglang
@pytest.mark.slow
def test_the_log_of_a_killed_server_alone_leads_to_the_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of SGLang pull request 25065: two operations, of hundreds of requests."""
    prepared(SEED)
    assert serve(SEED, tmp_path / "traces", 400, KILLED) == -9
    bug = tmp_path / "bug.json"
    signature = "PROGRESS/never-backed-up"
    command = ["shrink", str(tmp_path / "traces"), "--signature", signature, "--out", str(bug)]
    assert main(command) == FOUND
    assert " operations shrunk to 2, written to " in capsys.readouterr().out
    shortest = from_json(bug.read_text())
    assert [one.name for one in shortest.operations] == ["insert", "evict"]
    assert shortest.origin["system"] == SEED


@pytest.mark.sglang
@pytest.mark.slow
@pytest.mark.parametrize("system", [again(NEWEST), f"{NEWEST}+rust"])
def test_nothing_new_is_found_in_traces_of_the_newest(
    system: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(system)
    assert serve(system, tmp_path, 150) == 0
    assert main(["replay", str(tmp_path), "--known", "builtin"]) == CLEAN
    told = capsys.readouterr().out
    assert f"A trace of {system}: " in told
    assert "Not rebuilt" not in told
    compared, as_told = _outcomes(told)
    assert compared > 100
    assert as_told > 0.7 * compared
    assert _every_call_has_a_place(tmp_path)


def _outcomes(told: str) -> tuple[int, int]:
    line = next(line for line in told.splitlines() if "outcomes that the trace tells" in line)
    words = line.replace(",", "").split()
    return int(words[1]), int(words[words.index("tells") + 1])


def _every_call_has_a_place(folder: Path) -> bool:
    """Pool counts, outcomes and requests are there where there are any."""
    (file,) = folder.glob("*/*.jsonl")
    head, *lines = map(json.loads, file.read_text().splitlines())
    calls = [line for line in lines if "call" in line]
    evictions = [line for line in calls if line["call"] == "evict"]
    inserts = [line for line in calls if line["call"] == "insert"]
    assert head["pools"] == ["full", "swa", "full_host", "swa_host"]
    assert all(len(line["free"]) == 4 for line in evictions)
    assert all("reused" in line and "request" in line for line in inserts)
    return bool(evictions and inserts)
