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

from ...releases import AGAIN

SEED, NEWEST = f"sglang=={DRIVEN[0]}", f"sglang=={DRIVEN[-1]}"
SERVER = Path(__file__).resolve().parents[3] / "examples" / "recorded_server" / "serve.py"
START = f"""
import runpy, {autoload.__name__} as entry
entry.watch()
runpy.run_path({str(SERVER)!r}, run_name='__main__')
"""


def serve(system: str, folder: Path, *options: str) -> int:
    """Requests through a release, in a process that is recorded from outside; its exit code."""
    ran = subprocess.run(
        [sys.executable, "-c", START, system, *options],
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
    assert serve(SEED, tmp_path / "traces", "--killed") == -9
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
@AGAIN
@pytest.mark.parametrize("system", [NEWEST, f"{NEWEST}+rust"])
def test_nothing_new_is_found_in_traces_of_the_newest(
    system: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(system)
    assert serve(system, tmp_path, "--rounds", "150") == 0
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
    assert {len(line["free"]) for line in calls if "free" in line} == {4}
    assert all("reused" in line and "request" in line for line in inserts)
    return bool(evictions and inserts)
