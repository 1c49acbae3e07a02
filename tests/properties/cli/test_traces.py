"""Traces on the command line: replayed, shrunk, and made into a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.cli.replay import SKIP
from radixproof.properties.histories.history_json import from_json

from ..traces.told import HEAD, LOST, call, key, write

SOUND, WRONG = "radix", "fault:backup-announced-early"
EARLY, LATER = "EVENT/stored-absent", "EVENT/stored-missing"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    folder = tmp_path / "traces" / "77-1"
    folder.mkdir(parents=True)
    write(folder / "trace-000001.jsonl", *LOST, call("not_recorded"))
    return folder.parent


def test_a_trace_of_a_sound_cache_is_clean(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(trace)]) == CLEAN
    assert capsys.readouterr().out.splitlines() == [
        "A trace of radix: 8 calls, which make 8 operations.",
        "Not rebuilt, once: what it does is not recorded",
        "Replayed on radix with Config():",
        "Of 4 outcomes that the trace tells, 4 came out so here (all of them).",
        "8 of 8 operations judged.",
        "Clean: nothing new is wrong with what this trace tells on radix.",
    ]


def test_what_is_wrong_is_told_with_the_next_command(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(trace), "--system", WRONG]) == FOUND
    *_, first, second, hint = capsys.readouterr().out.splitlines()
    what = "[1] is not in FULL_HOST, by the events it is there"
    assert first == f"FOUND {EARLY}, first at operation 1: {what}"
    assert second.startswith(f"FOUND {LATER}, first at operation 6: ")
    assert hint == f"The few operations that do it: radixproof shrink {trace}"


def test_what_is_known_is_passed_over(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.toml"
    entries = [f'[[finding]]\nsignature = "{name}"\nreason = "ours"\n' for name in (EARLY, LATER)]
    known.write_text("\n".join(entries))
    options = ["--system", WRONG, "--known", str(known)]
    assert main(["replay", str(trace), *options]) == CLEAN
    assert f"known: {EARLY}, first at operation 1\n" in capsys.readouterr().out
    assert main(["shrink", str(trace), *options]) == CLEAN
    assert "Clean: nothing new is wrong with what this trace tells" in capsys.readouterr().out
    assert main(["report", str(trace), *options]) == CLEAN


def test_after_what_leaves_nothing_to_judge_it_goes_on_with_an_empty_cache(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = call("loading_check", acknowledged=1), call("evict", full=1)
    file = write(tmp_path / "trace.jsonl", *LOST, *more)
    assert main(["replay", str(file), "--system", "fault:load-source-released-twice"]) == FOUND
    told = capsys.readouterr().out
    crash = "NOCRASH/ReceiptError@Locks.unlock_host"
    assert f"Begun anew with an empty cache, once: after {crash} nothing is judged" in told
    assert "11 of 11 operations judged" in told


def test_a_trace_is_shrunk_to_a_history(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bug.json"
    assert main(["shrink", str(trace), "--system", WRONG, "--out", str(out)]) == FOUND
    assert capsys.readouterr().out == f"8 operations shrunk to 1, written to {out}\n"
    shortest = from_json(out.read_text())
    assert shortest.origin["signature"] == EARLY
    assert main(["shrink", str(trace), "--system", WRONG, "--signature", LATER]) == FOUND
    assert json.loads(capsys.readouterr().out)["origin"]["signature"] == LATER
    assert main(["shrink", str(trace), "--system", WRONG, "--signature", "PIN/x"]) == USAGE
    assert f"PIN/x is not found in this trace; {EARLY}, {LATER} is" in capsys.readouterr().err


def test_the_page_of_a_trace_is_that_of_its_shortest_history(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(trace), "--system", WRONG]) == FOUND
    page = trace.with_suffix(".html")
    assert capsys.readouterr().out == f"{WRONG}: {EARLY}. Written to {page}\n"
    assert "insert" in page.read_text()


@pytest.mark.parametrize("command", ["replay", "shrink", "report"])
def test_a_trace_that_cannot_be_read_is_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(tmp_path)]) == USAGE
    assert "holds no trace" in capsys.readouterr().err
    file = write(tmp_path / "trace.jsonl", key(1, 5), call("match", key=2))
    assert main([command, str(file)]) == USAGE
    assert "call 1: there is no key 2 before it" in capsys.readouterr().err


def test_what_a_system_cannot_be_put_to_is_not_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"page_size": 1, "device_pages": 8, "host_pages": 0}
    lock = call("lock_host", node=1, receipt="")
    match = call("match", key=1, device=0, best=0, node=1, best_node=1)
    file = write(tmp_path / "t.jsonl", key(1, 5), match, lock, head={**HEAD, "config": config})
    assert main(["replay", str(file), "--system", "toy_adapter:target"]) == CANNOT_RUN
    said = "toy_adapter:target cannot be put to all of this trace: operation 2 (host_lock)"
    assert said in capsys.readouterr().err
    assert main(["replay", str(write(file, *LOST)), "--system", "toy_adapter:target"]) == CANNOT_RUN
    said = "toy_adapter:target cannot be built as the cache of this trace: a host tier"
    assert said in capsys.readouterr().err


def test_a_trace_is_not_replayed_on_all(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(trace), "--all"]) == USAGE
    assert "--all is for history files" in capsys.readouterr().err


def test_a_trace_without_an_operation_is_not_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "trace.jsonl", call("not_recorded"))
    for command in ("replay", "shrink", "report"):
        assert main([command, str(file)]) == CANNOT_RUN
        assert "no operation that could be rebuilt" in capsys.readouterr().err


def test_a_tree_that_cannot_be_tested_is_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `git bisect run` wants it."""
    file = write(tmp_path / "trace.jsonl", *LOST, head={**HEAD, "system": "sglang==0.5.12.post1"})
    assert main(["replay", str(file), "--path", str(tmp_path)]) == SKIP
    assert "there is no SGLang in" in capsys.readouterr().err
