"""Command lines of every kind: a sentence and one of the promised exit codes, and no traceback.

What a command would do at length is done in small: systems are searched for a few steps, in this
process, and pip fails.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from radixproof.impl.faults import FAULTS
from radixproof.impl.operations import Evict, History, Insert
from radixproof.impl.sabotage import KINDS
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.cli import arguments, sensitivity
from radixproof.properties.cli.ci_files import SUMMARY
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main, make_parser
from radixproof.properties.cli.replay import SKIP
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.histories import corpus
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.power import corpus_update
from radixproof.properties.search.budget import PROFILES, Budget

from .command_lines import command_line
from .in_this_process import lanes_stay

LOST = History(
    Config(window=1, swa_pages=8, swa_host_pages=16), (Insert(Key((1, 2)), evicted=1), Evict(1))
)
KNOWN = """
[[finding]]
signature = "PROGRESS/never-backed-up"
reason = "it is planted"
"""
A_FINDING = (
    r"^[A-Z]+(-H)?/\S+ in |\d+ operations? shrunk to|\"signature\": |^Missed, |  \d+ findings?, |"
    r"\. Written to \S+\.html$"
)
SEARCHING = {"check", "explore", "matrix", "power", "sensitivity", "corpus", "add"}
PROMISED = (CLEAN, FOUND, USAGE, CANNOT_RUN)
SOME_FAULTS = {"split-parent-not-backed-up", "ack-keeps-lock"}
SOME_KINDS = {"stored-event-missing"}
FAULTY = {"system": "fault:split-parent-not-backed-up", "signature": "PROGRESS/never-backed-up"}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Paths of every kind, in the folder in which the commands are run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "home"))
    good = to_json(History(LOST.config, LOST.operations, FAULTY))
    (tmp_path / "good.json").write_text(good, encoding="utf-8")
    (tmp_path / "cut.json").write_text(good[:-30], encoding="utf-8")
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\0\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    names = (
        "good.json",
        "good.json",
        "cut.json",
        "empty",
        "binary",
        "folder",
        "pipe",
        "none",
        "known.toml",
    )
    (tmp_path / "known.toml").write_text(KNOWN, encoding="utf-8")
    paths = [*map(Path, names), Path("folder/new"), Path("empty/below"), Path("/dev/full")]
    # Somebody reads what is written into the pipe, and nobody writes what is read from it.
    pipe = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    yield paths
    os.close(pipe)


@pytest.fixture
def in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is short, and stays in this process; few faults, and a corpus of its own."""

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no pip here")

    small = Budget(steps=30, examples=1)
    for name in PROFILES:
        monkeypatch.setitem(PROFILES, name, small)
    for name in FAULTS.keys() - SOME_FAULTS:
        monkeypatch.delitem(FAULTS, name)
    monkeypatch.setattr(corpus, "FOLDER", tmp_path / "corpus")
    monkeypatch.setattr(corpus_update, "BUDGET", small)
    for name in KINDS.keys() - SOME_KINDS:
        monkeypatch.delitem(KINDS, name)
    monkeypatch.setattr(arguments, "MOST_SEEDS", 3)
    monkeypatch.setattr(arguments, "MOST_HISTORIES", 3)
    monkeypatch.setattr(sensitivity, "HISTORIES", 2)
    tiny = replace(SCOPES["swa"], operations=SCOPES["swa"].operations[:3], depth=1)
    monkeypatch.setattr("radixproof.properties.exploring.scopes.SCOPES", {"swa": tiny})
    lanes_stay(monkeypatch)
    monkeypatch.delenv(SUMMARY, raising=False)
    monkeypatch.setattr(subprocess, "run", pip)


def ran(words: list[str]) -> tuple[int, str, str]:
    """The exit code of a command line, and what it wrote to its streams, which are as in a process
    of its own.
    """
    out, err = (TextIOWrapper(BytesIO(), "utf-8", "backslashreplace") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as ended:  # of argparse
            code = int(str(ended.code or 0))
    out.seek(0)
    err.seek(0)
    return code, out.read(), err.read()


def promised(words: list[str]) -> tuple[int, ...]:
    """The exit codes that a command line may have: `replay` has one more, for `git bisect`."""
    return (*PROMISED, SKIP) if "replay" in words else PROMISED


@pytest.mark.torture(all=10_000, share=200)
def test_any_command_line_ends_with_a_sentence_and_a_promised_code(
    cases: range, files: list[Path], in_small: None
) -> None:
    codes, parser = Counter[int](), make_parser()
    for number in cases:
        words = command_line(parser, files, number)
        code, printed, said = ran(words)
        told = f"{number}: {words} ended with {code}\n{printed[-2_000:]}{said[-2_000:]}"
        assert code in promised(words), told
        assert "Traceback" not in said, told
        assert "radixproof itself failed" not in said, told
        assert code != FOUND or re.search(A_FINDING, printed, re.MULTILINE), told
        assert code in (CLEAN, FOUND) or said.strip() or printed, told
        codes[code] += 1
    assert {CLEAN, USAGE, CANNOT_RUN} <= set(codes)


@pytest.mark.slow
@pytest.mark.torture(all=200, share=4)
def test_any_command_line_as_a_process(cases: range, files: list[Path]) -> None:
    """Those that would not search."""
    parser = make_parser()
    for number in cases:
        words = command_line(parser, files, -1 - number)
        if SEARCHING & set(words) or any("\0" in word for word in words):
            continue
        ran = subprocess.run(
            [sys.executable, "-m", "radixproof", *words],
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode in promised(words), words
        assert b"Traceback" not in ran.stderr, words
        assert ran.returncode in (CLEAN, FOUND) or ran.stderr, words
