"""A check whose disk is full, whose reader goes away, or which is killed: nothing shown is lost."""

from __future__ import annotations

import os
import random
import re
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from radixproof.properties.cli.exit_codes import CANNOT_RUN, FOUND
from radixproof.properties.cli.main import main
from radixproof.properties.histories.durable import HIDDEN, make_ready
from radixproof.properties.histories.file_names import own_slug
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.search.budget import PROFILES, Budget

from ...releases import again

RIDDLED = "tests.properties.workers.systems:riddled"
"""It is reported with eight signatures, the first at once."""
ROOT = Path(__file__).resolve().parents[3]
WRITTEN = re.compile(r"^Written to (.*): (.*)$", re.MULTILINE)
FINDING = re.compile(r"^\S+: finding \d+ ", re.MULTILINE)


SHORT = """
import sys
from radixproof.properties.cli.main import main
from radixproof.properties.search.budget import PROFILES, Budget
PROFILES["dev"] = Budget(steps=500, examples=10)
sys.exit(main())
"""
"""A command line whose checks are over soon."""


@pytest.fixture(autouse=True)
def where_systems_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by processes that the tests start."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))


def check(out: Path, *program: str) -> list[str]:
    program = program or ("-c", SHORT)
    return [sys.executable, *program, "check", RIDDLED, "--out", str(out)]


def folders(out: Path) -> list[Path]:
    """What looks like findings below a folder; each is one, with all of its files."""
    found = [folder for folder in out.glob("*/*") if not folder.name.startswith(".")]
    for folder in found:
        (test,) = folder.glob("test_*.py")
        names = {"history.json", "report.txt", "report.html", "summary.md", test.name}
        assert {file.name for file in folder.iterdir()} == names
        assert all(file.stat().st_size for file in folder.iterdir())
        assert from_json((folder / "history.json").read_text()).origin["system"] == RIDDLED
        compile(test.read_text(), test.name, "exec")
    return found


def told(printed: str) -> list[Path]:
    """The folders of the findings that were printed."""
    return [Path(match[1]) for match in WRITTEN.finditer(printed)]


# -- killed ----------------------------------------------------------------------------------------


def killed(out: Path, number: int) -> str:
    """What a check prints until it is killed: at some moment before its first finding, or soon
    after one, when the next may be about to be written.
    """
    chosen = random.Random(number)
    after = chosen.randrange(5)
    with subprocess.Popen(
        check(out, "-m", "radixproof"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as running:
        assert running.stdout is not None
        printed = ""
        while len(FINDING.findall(printed)) < after:
            printed += next(running.stdout)
        time.sleep(chosen.uniform(0, 0.2 if after else 4))
        running.kill()
        # It ends only when nobody is left that could write: neither may its processes be.
        rest, _ = running.communicate(timeout=100)
    return printed + rest


@pytest.mark.slow
@pytest.mark.torture(all=1000, share=3)
def test_a_kill_loses_no_finding_that_was_printed(cases: range, tmp_path: Path) -> None:
    def case(number: int) -> int:
        out = tmp_path / str(number)
        printed = killed(out, number)
        found = folders(out)
        assert {*told(printed)} <= {*found}
        assert len(FINDING.findall(printed)) <= len(found)
        if out.exists():
            make_ready(out)  # as the next check does
            assert not list(out.rglob(f"{HIDDEN}*"))
        return len(found)

    with ThreadPoolExecutor(4) as several:
        found = list(several.map(case, cases))
    assert 0 in found, "lest none was killed early"
    assert max(found) > 1


@pytest.mark.slow
def test_a_check_removes_what_a_killed_one_has_left(tmp_path: Path) -> None:
    for left in (tmp_path / f"{HIDDEN}1", tmp_path / "radix" / f"{HIDDEN}2"):
        left.mkdir(parents=True)
        (left / "history.json").touch()
    main(["check", "radix", "--seconds", "0.1", "--out", str(tmp_path)])
    assert list(tmp_path.rglob("*")) == [tmp_path / "radix"]


# -- nowhere to write to ---------------------------------------------------------------------------


def cannot_be_written(printed: str, why: str) -> None:
    """What could not be written is said, and its history is there to be copied."""
    texts = re.findall(
        rf"could not be written to [^\n]* \((?:{why})\)\. Its history:\n(.*?^}}$)",
        printed,
        re.DOTALL | re.MULTILINE,
    )
    assert len(texts) == len(FINDING.findall(printed)) - len(told(printed)) > 0
    assert all(from_json(text).origin["system"] == RIDDLED for text in texts)


def on_a_disk(disk: Path, options: str) -> subprocess.CompletedProcess[str]:
    """A check with its findings on a file system of its own, copied to ``disk.copy`` at the end."""
    script = (
        'mount -t tmpfs -o "$0" none "$1" || exit 99; disk="$1"; shift; "$@"; code=$?;'
        ' cp -r "$disk" "$disk.copy"; exit $code'
    )
    disk.mkdir()
    command = ["unshare", "--mount", "sh", "-c", script, options, str(disk), *check(disk / "out")]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if ran.returncode == 99 or "unshare failed" in ran.stderr:
        pytest.skip("nothing may be mounted here")
    assert "Traceback" not in ran.stderr
    return ran


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    """On 40 kB some findings have room and others have not."""
    ran = on_a_disk(tmp_path / "disk", "size=40k")
    assert ran.returncode == FOUND
    cannot_be_written(ran.stdout, "No space left on device")
    assert len(folders(tmp_path / "disk.copy" / "out")) == len(told(ran.stdout)) > 0
    assert not list((tmp_path / "disk.copy").rglob(f"{HIDDEN}*"))


def test_a_disk_that_can_only_be_read(tmp_path: Path) -> None:
    ran = on_a_disk(tmp_path / "disk", "ro")
    assert ran.returncode == CANNOT_RUN
    assert "(Read-only file system): choose another folder with --out" in ran.stderr
    assert ran.stdout == ""


@pytest.mark.slow
def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """Short files can be written, the longer ones of the same finding cannot."""
    ran = subprocess.run(
        check(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000)),
    )
    assert ran.returncode == FOUND
    cannot_be_written(ran.stdout, "File too large")
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == []
    assert not list(tmp_path.rglob(f"{HIDDEN}*"))
    assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_a_file_where_the_folder_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("text")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert main(["check", "radix", "--out", str(out)]) == CANNOT_RUN
        assert f"cannot write findings to {out} (" in capsys.readouterr().err
    (tmp_path / own_slug(RIDDLED)).write_text("text")
    monkeypatch.setitem(PROFILES, "dev", Budget(steps=500, examples=10))
    assert main(["check", RIDDLED, "--out", str(tmp_path)]) == FOUND
    cannot_be_written(capsys.readouterr().out, "Not a directory|File exists")


# -- nobody to read --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["head -1", again("true"), again("cat > /dev/full"), "full"])
def test_a_reader_that_goes_away(reader: str, tmp_path: Path) -> None:
    to = "> /dev/full" if reader == "full" else f"| {reader}"
    ran = subprocess.run(
        ["bash", "-c", f'"$@" {to}; echo "${{PIPESTATUS[0]}}"', "-", *check(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines()[-1] in (str(CANNOT_RUN), str(FOUND))
    assert len(folders(tmp_path)) >= 1
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
