"""The command line as its users meet it: exit codes, clear sentences, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from radixproof.impl.operations import History, Insert, Match
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.histories.history_json import from_json, to_json
from radixproof.properties.search.budget import PROFILES, Budget

from ...own_process import completed
from ..guarding import fatal

FAULT = "fault:split-parent-not-backed-up"
WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)
LOST = History(WINDOWED, (Match(Key((7,))), Insert(Key((1, 2)), evicted=1)))


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """A history that goes wrong under the planted fault, and not otherwise."""
    file = tmp_path / "lost.json"
    file.write_text(to_json(LOST))
    return file


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("radixproof: ")
    return line


# -- check ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_module:target", "there is no module 'no_such_module' in this folder"),
        ("json:dumps", "cannot use json:dumps: TypeError"),
        ("json:decoder", "but is of type module"),
    ],
)
def test_a_system_that_cannot_be_imported_ends_it_before_anything_is_run(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "radix", name, "--out", str(tmp_path / "new")]) == USAGE
    assert said in complaint(capsys)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version"]])
def test_help_is_there_at_once(arguments: list[str]) -> None:
    """Nothing that takes long to import is imported for it: half a second of processor time."""
    code = (
        "import sys, time\n"
        "from radixproof.properties.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'hypothesis', 'rich', 'sglang'} & set(sys.modules)\n"
        "print(sorted(heavy), time.process_time() < 0.5)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "[] True"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, Path]:
    """A check of the faulty system: its exit code, what it printed, and its folder."""
    out = tmp_path_factory.mktemp("findings")
    with redirect_stdout(StringIO()) as printed, pytest.MonkeyPatch.context() as patched:
        patched.setitem(PROFILES, "dev", Budget(steps=300, examples=10))
        code = main(["check", FAULT, "--out", str(out)])
    return code, printed.getvalue(), out


def test_a_finding_is_printed_written_and_can_be_replayed_and_shrunk(
    checked: tuple[int, str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed, out = checked
    assert code == FOUND
    folder = out / "fault-split-parent-not-backed-up" / "progress-never-backed-up-1"
    names = [
        "history.json",
        "test_fault_split_parent_not_backed_up__progress_never_backed_up__1.py",
        "report.txt",
        "summary.md",
        "report.html",
    ]
    assert {file.name for file in folder.iterdir()} == {*names}
    assert f"\nWritten to {folder}: {', '.join(names)}\n" in printed
    report = (folder / "report.txt").read_text()
    assert report in printed
    for part in (
        "What must hold:",
        "What happened:",
        "insert [1 2] evicted 1",
        "Tree before step 1",
        "with seed 1",
    ):
        assert part in report
    replay = (
        next(line for line in report.splitlines() if line.startswith("Replay: "))
        .removeprefix("Replay: radixproof ")
        .split()
    )
    assert main(replay) == FOUND
    assert "PROGRESS/never-backed-up" in capsys.readouterr().out
    assert main(["shrink", replay[1]]) == FOUND
    assert from_json(capsys.readouterr().out).operations == LOST.operations[1:]


def test_the_written_test_fails_on_its_own(checked: tuple[int, str, Path]) -> None:
    (written,) = checked[2].rglob("test_*__progress_never_backed_up__1.py")
    result = completed("pytest", "-q", str(written), cwd=checked[2])
    assert result.returncode == 1
    assert "not backed up" in result.stdout


@pytest.mark.parametrize("name", ["radx", "fault:nothing", "sglang-0.5.13"])
def test_an_unknown_system_ends_it_before_anything_is_run(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "radix", name]) == USAGE
    assert "known: " in complaint(capsys)


def test_a_release_that_is_not_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path))
    assert main(["check", "sglang==0.5.13.post1", "--out", str(tmp_path)]) == CANNOT_RUN
    assert "radixproof systems add sglang==0.5.13.post1" in complaint(capsys)


def test_a_release_that_is_not_supported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systems", "add", "sglang==0.4.0"]) == CANNOT_RUN
    assert "not 0.4.0" in complaint(capsys)
    assert main(["systems", "add", "vllm==1.0"]) == USAGE
    assert "write it as in" in complaint(capsys)


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert main(["check", "radix", "--out", str(tmp_path)]) == CANNOT_RUN
    assert "cannot write findings to" in (said := complaint(capsys))
    assert "--out" in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["chekc"],
        ["check", "--profile", "weekly"],
        ["check", "--seed", "-1"],
        ["check", "--seed", "one"],
        ["check", "--seconds", "0"],
        ["check", "--seconds", "nan"],
        ["replay"],
        ["power", "--seeds", "10001"],
        ["power", "--seeds", "9" * 18],
        ["systems", "remove"],
    ],
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == USAGE
    assert "usage: radixproof" in capsys.readouterr().err


def interrupted(name: str, out: Path, found: bool) -> subprocess.CompletedProcess[str]:
    """A long check of a system, with Ctrl-C after its first finding, or as soon as it searches."""
    command = [sys.executable, "-m", "radixproof", "check", name, "--profile", "nightly"]
    with subprocess.Popen(
        [*command, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as running:
        assert running.stdout is not None
        printed = ""
        while found and "Written to" not in printed:
            printed += next(running.stdout)
        while not out.exists():
            assert running.poll() is None, running.stdout.read()
            time.sleep(0.01)
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        printed += running.stdout.read()
        return subprocess.CompletedProcess(command, running.wait(timeout=60), printed)


def test_an_interruption_keeps_what_was_found(tmp_path: Path) -> None:
    ended = interrupted("toy_bugs:split", tmp_path / "new", found=True)
    assert ended.returncode == FOUND
    assert "interrupted; what was found is kept in" in ended.stdout
    assert "Traceback" not in ended.stdout
    assert list(tmp_path.rglob("*.json"))


def test_an_interruption_with_nothing_found(tmp_path: Path) -> None:
    ended = interrupted("toy_adapter:target", tmp_path / "new", found=False)
    assert ended.returncode == CANNOT_RUN
    assert "interrupted, nothing was found until then" in ended.stdout
    assert "Traceback" not in ended.stdout


# -- replay and shrink ---------------------------------------------------------------------------


def test_replay_shows_every_step_and_says_what_is_clean(
    lost: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(lost)]) == CLEAN
    printed = capsys.readouterr().out
    assert "2. insert [1 2] evicted 1   -> no tokens were there already" in printed
    assert printed.endswith("Clean: nothing is wrong with this history on radix.\n")
    assert main(["replay", str(lost), "--system", FAULT]) == FOUND
    assert "never-backed-up" in capsys.readouterr().out


def test_a_long_replay_shows_how_far_it_is(
    lost: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("radixproof.properties.cli.progress.SECONDS", -1)
    first, *rest = LOST.operations
    looks = [Match(Key((9,)))] * 240
    lost.write_text(to_json(replace(LOST, operations=(first, *looks, *rest))))
    assert main(["replay", str(lost), "--system", FAULT]) == FOUND
    shown = [f"replayed {number} of 242 steps" for number in (100, 200)]
    assert capsys.readouterr().err.splitlines() == shown


def test_shrink_writes_where_it_is_told(
    lost: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "small.json"
    assert main(["shrink", str(lost), "--system", FAULT, "--out", str(out)]) == FOUND
    assert f"2 operations shrunk to 1, written to {out}" in capsys.readouterr().out
    history = from_json(out.read_text())
    assert history.operations == LOST.operations[1:]
    assert history.origin == {"system": FAULT, "signature": "PROGRESS/never-backed-up"}
    assert main(["shrink", str(lost)]) == CLEAN
    assert (
        main(
            ["shrink", str(lost), "--system", FAULT, "--out", str(tmp_path / "no" / "folder.json")]
        )
        == CANNOT_RUN
    )


@pytest.mark.parametrize("command", ["replay", "shrink"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read"),
        (b"\xff\xfe", "not a text file"),
        (to_json(LOST).encode()[:-20], "not JSON"),
        (to_json(LOST).replace('"evicted": 1', '"evicted": -1').encode(), "operations[1].evicted"),
        (
            to_json(LOST).replace('"page_size": 1', '"page_size": 2').encode(),
            "must be a multiple of the page size 2",
        ),
        (b"[" * 100_000, "nested too deeply"),
        (to_json(LOST).replace('"page_size": 1', f'"page_size": {"1" * 5_001}').encode(), "digits"),
        (
            to_json(LOST).replace('"page_size": 1', f'"page_size": {10**9}').encode(),
            "there may be at most 1,000,000",
        ),
    ],
    ids=[
        "missing",
        "binary",
        "truncated",
        "negative",
        "other page size",
        "nested",
        "digits",
        "pages",
    ],
)
def test_a_file_that_cannot_be_used(
    command: str, text: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history.json"
    if text is not None:
        file.write_bytes(text)
    assert main([command, str(file)]) == USAGE
    line = complaint(capsys)
    assert said in line
    assert str(file) in line


def test_a_file_does_not_decide_what_is_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "strangers.json"
    file.write_text(to_json(History(WINDOWED, LOST.operations, {"system": "antigravity:fly"})))
    assert main(["replay", str(file)]) == USAGE
    assert "imported only if you name it: --system antigravity:fly" in complaint(capsys)
    assert "antigravity" not in sys.modules
    assert main(["replay", str(file), "--system", "radix"]) == CLEAN


def test_systems_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path))
    assert main(["systems"]) == CLEAN
    printed = capsys.readouterr().out
    assert printed.startswith("radix ")
    assert FAULT in printed
    assert "radixproof systems add sglang==VERSION" in printed


# -- systems that hang or end the process ----------------------------------------------------------


def test_a_system_that_ends_the_process_is_a_finding_that_can_be_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(fatal.ROOT)
    monkeypatch.setitem(PROFILES, "dev", Budget(steps=300, examples=0))
    name = fatal.name(fatal.aborts)
    assert main(["check", name, "--out", str(tmp_path), "--step-seconds", "5"]) == FOUND
    assert "NOCRASH/SIGABRT@Aborts.end" in capsys.readouterr().out
    (file,) = tmp_path.rglob("*.json")
    assert main(["replay", str(file), "--system", name]) == FOUND
    printed = capsys.readouterr().out
    assert "-> SIGABRT in Aborts.end: it ended the process" in printed
    assert main(["replay", str(file), "--system", fatal.name(fatal.raises)]) == FOUND
    assert main(["replay", str(file), "--system", fatal.name(fatal.hangs)]) == CLEAN
    (written,) = tmp_path.rglob("test_*.py")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(os.path.isabs, sys.path)))
    arguments = ("-q", "-p", "no:cacheprovider", str(written))
    result = completed("pytest", *arguments, cwd=fatal.ROOT)
    assert result.returncode == 1
    assert "SIGABRT in Aborts.end: it ended the process" in result.stdout


def test_a_system_that_cannot_even_be_imported_does_not_take_the_command_line_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(fatal.ROOT)
    name = fatal.name(fatal.not_found)
    assert main(["check", name, "--out", str(tmp_path)]) == CANNOT_RUN
    assert f"radixproof: {name} cannot be run: when it was imported" in capsys.readouterr().err


def release(home: Path, version: str = "0.5.13.post1") -> Path:
    """A release in the store of one file, half of which was lost."""
    folder = home / "systems" / f"sglang-{version}"
    (folder / "x.dist-info").mkdir(parents=True)
    (folder / "x.dist-info" / "RECORD").write_text("x.py,sha256=y,8\n")
    (folder / "x.py").write_text("half")
    return folder


def test_a_damaged_release_is_named_wherever_it_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path))
    folder, name = release(tmp_path), "sglang==0.5.13.post1"
    damage = "damaged: x.py has 4 bytes, not 8"
    assert main(["systems"]) == CLEAN
    assert f"Not here: {name}, which is {damage}\n" in capsys.readouterr().out
    for arguments in (["verify"], ["verify", name]):
        assert main(["systems", *arguments]) == CANNOT_RUN
        assert f"is {damage}; to fetch it anew, run" in complaint(capsys)
    assert main(["check", name, "--out", str(tmp_path / "out")]) == CANNOT_RUN
    assert f"is {damage}" in complaint(capsys)
    (folder / "x.py").write_text("8 bytes.")
    assert main(["systems", "verify"]) == CANNOT_RUN
    assert "the content of x.py is not what was released" in complaint(capsys)
    assert main(["systems", "remove", name]) == CLEAN
    assert capsys.readouterr().out == f"{name}: removed\n"
    assert list((tmp_path / "systems").iterdir()) == []
    assert main(["systems", "remove", name]) == CANNOT_RUN
    assert main(["systems", "verify"]) == CLEAN
    assert main(["systems", "remove", "radix"]) == USAGE


def test_a_listing_cleans_what_a_killed_command_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path))
    release(tmp_path).rename(tmp_path / "systems" / ".sglang-0.5.13.post1-left")
    assert main(["systems"]) == CLEAN
    assert list((tmp_path / "systems").iterdir()) == []


# -- radixproof itself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ZeroDivisionError("oh"), "radixproof itself failed (ZeroDivisionError); please report"),
        (MemoryError(), "there is not enough memory for this"),
        (RecursionError("deep"), "radixproof itself failed (RecursionError); please report"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_of_our_own_is_no_finding(
    error: Exception,
    said: str,
    lost: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("radixproof.properties.workers.replaying.replay", fail)
    assert main(["replay", str(lost)]) == CANNOT_RUN
    assert said in capsys.readouterr().err.splitlines()[-1]
