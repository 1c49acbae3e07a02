"""The store of SGLang releases: what it finds and fetches, and what a failure leaves: nothing.

pip is a fake here.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.sglang.adapter import target
from radixproof.impl.sglang.releases import dialect_of, scope_of
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config

TREE = "sglang/srt/mem_cache/unified_radix_cache.py"
RECORD = "sglang.dist-info/RECORD"
CONTENT = "x = 1\n"
Pip = Callable[[list[str]], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(store, "installed_version", lambda: None)
    return tmp_path / "home"


@pytest.fixture
def use_pip(monkeypatch: pytest.MonkeyPatch) -> Callable[[Pip], list[list[str]]]:
    """Installs a fake pip; returns the list that its command lines are recorded in."""

    def use(pip: Pip) -> list[list[str]]:
        calls: list[list[str]] = []

        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            calls.append(command)
            return pip(command)

        monkeypatch.setattr(subprocess, "run", run)
        return calls

    return use


def record(*members: str) -> str:
    """A wheel's list of its files, each with a content of six bytes."""
    lines = [f"{member},sha256=x,{len(CONTENT)}\n" for member in members]
    return "".join([*lines, f"{RECORD},,\n"])


def deliver(*members: str) -> Pip:
    """A pip that leaves a wheel with these members in the folder it is told."""

    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        folder = next(
            word.removeprefix("--dest=") for word in command if word.startswith("--dest=")
        )
        with zipfile.ZipFile(Path(folder, "sglang-0.5.13.post1-py3-none-any.whl"), "w") as wheel:
            for member in members:
                wheel.writestr(member, CONTENT)
            wheel.writestr(RECORD, record(*members))
        return subprocess.CompletedProcess(command, 0, "Saved a wheel", "")

    return pip


def fail(stderr: str) -> Pip:
    return lambda command: subprocess.CompletedProcess(command, 1, "", stderr)


def prepare(home: Path, version: str) -> Path:
    folder = home / "systems" / f"sglang-{version}"
    (folder / TREE).parent.mkdir(parents=True)
    (folder / RECORD).parent.mkdir()
    (folder / TREE).write_text(CONTENT)
    (folder / RECORD).write_text(record(TREE))
    return folder


def nothing_in(home: Path) -> bool:
    return list((home / "systems").iterdir()) == [] and store.prepared() == []


def test_add_unpacks_the_wheel_under_its_final_name(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    calls = use_pip(deliver(TREE, "sglang/__init__.py"))
    lines: list[str] = []
    folder = store.add("0.5.13.post1", lines.append)
    assert folder == home / "systems" / "sglang-0.5.13.post1"
    assert (folder / TREE).read_text() == "x = 1\n"
    assert [entry.name for entry in (home / "systems").iterdir()] == ["sglang-0.5.13.post1"]
    assert store.locate("0.5.13.post1") == store.Release("0.5.13.post1", folder)
    assert calls[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "sglang==0.5.13.post1"} <= set(calls[0])
    assert len(lines) == 3
    assert not any("\n" in line for line in lines)


def test_add_fetches_nothing_twice(home: Path, use_pip: Callable[[Pip], list[list[str]]]) -> None:
    folder = prepare(home, "0.5.12.post1")
    calls = use_pip(fail("must not be called"))
    assert store.add("0.5.12.post1", lambda _: None) == folder
    assert calls == []


@pytest.mark.parametrize("damaged", [TREE, RECORD])
def test_a_damaged_release_is_not_prepared_and_is_fetched_anew(
    home: Path, use_pip: Callable[[Pip], list[list[str]]], damaged: str
) -> None:
    folder = prepare(home, "0.5.13.post1")
    (folder / damaged).write_text("x")
    assert store.prepared() == []
    with pytest.raises(
        Unavailable, match=r"missing or cut short: .* sglang==0\.5\.13\.post1' again"
    ):
        store.locate("0.5.13.post1")
    use_pip(deliver(TREE))
    assert store.add("0.5.13.post1", lambda _: None) == folder
    assert store.locate("0.5.13.post1").folder == folder
    assert list((home / "systems").iterdir()) == [folder]


def test_what_a_killed_add_has_left_goes_with_the_next_one(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    left = home / "systems" / ".sglang-0.5.12-left"
    (left / "release").mkdir(parents=True)
    use_pip(deliver(TREE))
    folder = store.add("0.5.13.post1", lambda _: None)
    assert list((home / "systems").iterdir()) == [folder]


def test_the_folder_of_another_add_at_work_stays(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        (own,) = (home / "systems").glob(".sglang-*")
        use_pip(deliver(TREE))
        store.add("0.5.12.post1", lambda _: None)
        assert own.is_dir()
        return deliver(TREE)(command)

    use_pip(pip)
    store.add("0.5.13.post1", lambda _: None)
    assert store.prepared() == ["0.5.12.post1", "0.5.13.post1"]
    assert len(list((home / "systems").iterdir())) == 2


def test_add_refuses_a_wheel_that_lacks_what_it_lists(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        result = deliver(TREE)(command)
        (wheel,) = Path(
            next(word.removeprefix("--dest=") for word in command if word.startswith("--dest="))
        ).glob("*.whl")
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(TREE, CONTENT)
            archive.writestr(RECORD, record(TREE, "sglang/other.py"))
        return result

    use_pip(pip)
    with pytest.raises(Unavailable, match="lacks files"):
        store.add("0.5.13.post1", lambda _: None)
    assert nothing_in(home)


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (
            "ERROR: Could not find a version that satisfies sglang==9.9 "
            "(from versions: 0.5.1, 0.5.2, 0.5.3, 0.5.4)",
            "0.5.2, 0.5.3, 0.5.4",
        ),
        (
            "WARNING: Retrying after NewConnectionError\n"
            "ERROR: No matching version (from versions: none)",
            "cannot reach a package index",
        ),
        (
            "ERROR: Could not find a version that satisfies sglang==9.9 (from versions: none)",
            "check pip's index settings",
        ),
        ("ERROR: something odd\n", "could not fetch SGLang 9.9: something odd"),
        ("", "could not fetch SGLang 9.9: it said nothing"),
    ],
)
def test_add_says_in_one_sentence_why_pip_failed(
    home: Path, use_pip: Callable[[Pip], list[list[str]]], stderr: str, words: str
) -> None:
    use_pip(fail(stderr))
    with pytest.raises(Unavailable) as caught:
        store.add("9.9", lambda _: None)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert nothing_in(home)


@pytest.mark.parametrize("members", [("sglang/__init__.py",), ()])
def test_add_refuses_a_wheel_without_the_tree(
    home: Path, use_pip: Callable[[Pip], list[list[str]]], members: tuple[str, ...]
) -> None:
    use_pip(deliver(*members))
    with pytest.raises(Unavailable, match="too old, or too new"):
        store.add("0.5.13.post1", lambda _: None)
    assert nothing_in(home)


def test_add_refuses_what_is_no_wheel(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        folder = next(
            word.removeprefix("--dest=") for word in command if word.startswith("--dest=")
        )
        Path(folder, "sglang-0.5.13.post1-py3-none-any.whl").write_text("half a download")
        return subprocess.CompletedProcess(command, 0, "", "")

    use_pip(pip)
    with pytest.raises(Unavailable, match="not a readable wheel"):
        store.add("0.5.13.post1", lambda _: None)
    assert nothing_in(home)


@pytest.mark.parametrize("stage", [1, 2])
def test_an_interrupted_add_leaves_nothing(
    home: Path, use_pip: Callable[[Pip], list[list[str]]], stage: int
) -> None:
    use_pip(deliver(TREE))
    seen: list[str] = []

    def progress(line: str) -> None:
        seen.append(line)
        if len(seen) == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add("0.5.13.post1", progress)
    assert nothing_in(home)


def test_add_accepts_that_another_process_was_faster(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        prepare(home, "0.5.13.post1")
        return deliver(TREE)(command)

    use_pip(pip)
    assert store.add("0.5.13.post1", lambda _: None) == home / "systems" / "sglang-0.5.13.post1"
    assert store.prepared() == ["0.5.13.post1"]
    assert len(list((home / "systems").iterdir())) == 1


def test_add_needs_pip(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "pip" else find(name, *rest),
    )
    with pytest.raises(Unavailable, match="needs pip"):
        store.add("0.5.13.post1", lambda _: None)
    assert not home.exists()


def test_a_store_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "file"))
    with pytest.raises(Unavailable, match="set RADIXPROOF_HOME"):
        store.add("0.5.13.post1", lambda _: None)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind"
)
def test_a_read_only_store_is_named(home: Path) -> None:
    home.mkdir()
    home.chmod(0o500)
    with pytest.raises(Unavailable, match="set RADIXPROOF_HOME"):
        store.add("0.5.13.post1", lambda _: None)


@pytest.mark.parametrize(
    "version",
    ["", "latest", "0.5", "0.5.13 --index-url=x", "../0.5.13", "0.5.13;rm", "0.5.13\n", "==0.5.13"],
)
def test_only_version_numbers_reach_pip(
    home: Path, use_pip: Callable[[Pip], list[list[str]]], version: str
) -> None:
    calls = use_pip(fail("ERROR: refused by the fake"))
    with pytest.raises(Unavailable):
        store.add(version, lambda _: None)
    assert [command[-1] for command in calls] == (["sglang==0.5"] if version == "0.5" else [])


def test_prepared_lists_complete_releases_in_order(home: Path) -> None:
    assert store.prepared() == []
    for version in ("0.5.13.post1", "0.5.9", "0.5.13", "0.5.13rc1", "0.5.12.post1"):
        prepare(home, version)
    (home / "systems" / "sglang-0.5.14").mkdir()
    (home / "systems" / ".sglang-0.5.15-abc").mkdir()
    assert store.prepared() == ["0.5.9", "0.5.12.post1", "0.5.13rc1", "0.5.13", "0.5.13.post1"]


def test_locate_prefers_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepare(home, "0.5.12.post1")
    assert store.locate("0.5.12.post1") == store.Release("0.5.12.post1", folder)
    monkeypatch.setattr(store, "installed_version", lambda: "0.5.12.post1")
    assert store.locate("0.5.12.post1") == store.Release("0.5.12.post1", None)


def test_locate_says_what_is_prepared(home: Path) -> None:
    with pytest.raises(
        Unavailable,
        match=r"post1 is not prepared .* 'radixproof systems add sglang==0\.5\.13\.post1'$",
    ):
        store.locate("0.5.13.post1")
    prepare(home, "0.5.12.post1")
    with pytest.raises(Unavailable, match=r"; prepared are 0\.5\.12\.post1$"):
        store.locate("0.5.13.post1")


def test_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADIXPROOF_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert store.home() == Path.home() / ".cache" / "radixproof"
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert store.home() == Path("/cache/radixproof")
    monkeypatch.setenv("RADIXPROOF_HOME", "/own")
    assert store.home() == Path("/own")


def test_dialect_and_scope_are_known_without_the_release(home: Path) -> None:
    old, new = target("0.5.12.post1"), target("0.5.19")
    assert old.name == "sglang==0.5.12.post1"
    assert (old.dialect, old.scope) == (dialect_of("0.5.12"), scope_of("0.5.12"))
    assert new.dialect == dialect_of("0.5.19")
    assert new.scope == scope_of("0.5.19")


def test_building_what_is_not_prepared_is_refused(home: Path) -> None:
    with pytest.raises(Unavailable, match="not prepared"):
        target("0.5.13.post1").build(Config())
