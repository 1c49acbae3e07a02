"""Replay on all releases, and as `git bisect run` has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from radixproof.impl.operations import Evict, History, HostLock, Insert, Lock, Match
from radixproof.impl.sglang import store
from radixproof.impl.sglang.releases import DRIVEN, prepared_names
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.cli.replay import SKIP
from radixproof.properties.histories.history_json import to_json

from ...releases import AGAIN

LOST = History(
    Config(window=1, swa_pages=8, swa_host_pages=16), (Insert(Key((1, 2)), evicted=1), Evict(1))
)
ONE = History(Config(host_pages=0), (Insert(Key((1,))),))
SPLIT = History(
    Config(host_pages=0),
    (Insert(Key((1, 2))), Lock("a", Key((1, 2))), Match(Key((1,))), Evict(2)),
)
"""A locked node is split: one of the toy's bugs then loses the lock."""
ROOT = Path(__file__).resolve().parents[3]
SEED, MENDED = "sglang==0.5.12.post1", "sglang==0.5.23"


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """A history that fails on the oldest release, and not on the newest."""
    file = tmp_path / "lost.json"
    file.write_text(to_json(LOST))
    return file


@pytest.fixture
def oldest_and_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if only these two were prepared."""
    versions = [DRIVEN[0], DRIVEN[-1]]
    if not set(versions) <= set(store.prepared()):
        pytest.skip("needs the oldest and the newest release of SGLang")
    monkeypatch.setattr("radixproof.impl.sglang.releases.prepared", lambda: versions)


# -- on all releases -------------------------------------------------------------------------------


@pytest.mark.sglang
@AGAIN
def test_it_says_on_which_releases_a_history_fails(
    lost: Path, oldest_and_newest: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(lost), "--all", "-j", "2"]) == FOUND
    assert capsys.readouterr().out.splitlines() == [
        "sglang==0.5.12.post1  PROGRESS/never-backed-up at step 2",
        "sglang==0.5.23        clean",
        "sglang==0.5.23+rust   clean",
        "",
        "It fails on 1 of 3 releases and cores.",
    ]


@pytest.fixture
def in_place_of_releases(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Systems that are there as soon as they are asked for; what is changed in it counts."""
    monkeypatch.chdir(ROOT)
    names = ["tests.properties.workers.systems:target"]
    monkeypatch.setattr("radixproof.impl.sglang.releases.prepared_names", lambda: names)
    return names


def test_every_release_is_a_line_and_the_exit_code_is_that_of_the_worst(
    lost: Path, in_place_of_releases: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, none = in_place_of_releases[0], "toy_bugs:split", "sglang==0.4.0"
    lost.write_text(to_json(SPLIT))
    assert main(["replay", str(lost), "--all"]) == CLEAN
    assert capsys.readouterr().out.endswith("\n\nIt fails on 0 of 1 releases and cores.\n")
    in_place_of_releases.append(none)
    assert main(["replay", str(lost), "--all", "-j", "2"]) == CANNOT_RUN
    in_place_of_releases.append(bad)
    assert main(["replay", str(lost), "--all", "-j", "2"]) == FOUND
    lines = [line.split("  ", 1) for line in capsys.readouterr().out.splitlines()[-5:]]
    assert [line[0] for line in lines[:3]] == [good, none, bad]
    assert lines[0][1].strip() == "clean"
    assert lines[1][1].strip().startswith("could not be run: radixproof drives SGLang")
    assert lines[2][1].strip() == "LOCK/full-too-few at step 3"
    assert lines[4] == ["It fails on 1 of 3 releases and cores; on 1 it could not be run."]


def test_what_a_system_cannot_be_put_to_is_not_called_clean(
    lost: Path, in_place_of_releases: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lost.write_text(to_json(History(ONE.config, (*ONE.operations, HostLock("a", Key((1,)))))))
    said = "step 2 (host_lock): the system has no such operation"
    assert main(["replay", str(lost), "--system", in_place_of_releases[0]]) == CANNOT_RUN
    printed = capsys.readouterr()
    assert f"cannot be put to all of this history: {said}" in printed.err
    assert "Clean" not in printed.out
    assert main(["replay", str(lost), "--all"]) == CANNOT_RUN
    assert f"could not be run as a whole: {said}" in capsys.readouterr().out


def test_where_no_release_is_prepared_that_is_said(
    lost: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "nothing"))
    assert main(["replay", str(lost), "--all"]) == CANNOT_RUN
    assert "no release of SGLang is prepared on this machine" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--system", "--path"])
def test_all_are_all(option: str, lost: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(lost), "--all", option, "sglang"]) == USAGE
    assert "leave out --system and --path" in capsys.readouterr().err


def test_what_is_prepared_is_named_with_every_core(oldest_and_newest: None) -> None:
    assert prepared_names() == [SEED, MENDED, f"{MENDED}+rust"]


# -- as git bisect has it --------------------------------------------------------------------------


def tree(checkout: Path, version: str) -> Path:
    """The sources of a release, as a checkout has them."""
    python = checkout / "python"
    shutil.rmtree(python, ignore_errors=True)
    release = store.locate(version).folder
    assert release is not None
    shutil.copytree(release / "sglang", python / "sglang", copy_function=os.symlink)
    return python


def test_a_tree_that_cannot_be_tested_is_skipped_and_nothing_else(
    lost: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(lost), "--path", str(tmp_path)]) == SKIP
    assert "there is no SGLang in" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "no.json"), "--path", str(tmp_path)]) == USAGE
    assert main(["replay", str(lost), "--system", f"sglang@{tmp_path}"]) == CANNOT_RUN


@pytest.mark.sglang
@AGAIN
@pytest.mark.usefixtures("oldest_and_newest")
def test_exit_codes_in_a_source_tree(
    lost: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tree(tmp_path, DRIVEN[0])
    command = ["replay", str(lost), "--path", str(python)]
    assert main(command) == FOUND
    cache = python / "sglang" / "srt" / "mem_cache" / "unified_radix_cache.py"
    source = cache.read_text()
    cache.unlink()  # it is a link to the release
    for found, put, said in (
        ("import", "import no_such_module_here\nimport", "cannot be imported here"),
        ("def writing_check", "def writing_check_of_old", "has no writing_check"),
    ):
        cache.write_text(source.replace(found, put, 1))
        assert main(command) == SKIP
        assert said in capsys.readouterr().err
    shutil.rmtree(python)
    assert main(command) == SKIP
    assert main(["replay", str(tmp_path / "no.json"), "--path", str(python)]) == USAGE


@pytest.mark.sglang
@AGAIN
@pytest.mark.usefixtures("oldest_and_newest")
def test_git_bisect_finds_the_commit(lost: Path, tmp_path: Path) -> None:
    """Of four commits, the third is the first that is bad."""
    checkout = tmp_path / "checkout"

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments]
        return subprocess.run(
            command, cwd=checkout, check=True, capture_output=True, text=True
        ).stdout

    def commit(name: str) -> None:
        git("add", "-A", "-f")
        git("commit", "-q", "-m", name)

    checkout.mkdir()
    git("init", "-q")
    python = tree(checkout, DRIVEN[-1])
    commit("good")
    (checkout / "notes").write_text("nothing else is new")
    commit("good, too")
    tree(checkout, DRIVEN[0])
    commit("bad")
    (checkout / "notes").write_text("nor here")
    commit("bad, too")
    git("bisect", "start", "HEAD", "HEAD~3")
    run = [sys.executable, "-m", "radixproof", "replay", str(lost), "--path", python.name]
    said = git("bisect", "run", *run)
    assert "is the first bad commit" in said
    assert git("log", "-1", "--format=%s", "refs/bisect/bad").strip() == "bad"
