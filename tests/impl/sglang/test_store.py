"""The store of SGLang releases: what it finds and fetches, and what a failure leaves: nothing.

pip is a fake here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.sglang.adapter import target
from radixproof.impl.sglang.releases import dialect_of, scope_of
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config

from .fake_pip import CONTENT, RECORD, TREE, Pip, deliver, fail, nothing_in, prepare, record


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


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def replaced(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a file is missing": lambda folder: (folder / TREE).unlink(),
    "a file is cut short": lambda folder: (folder / TREE).write_text("x"),
    "a file became longer": lambda folder: (folder / TREE).write_text(CONTENT * 2),
    "the list is missing": lambda folder: (folder / RECORD).unlink(),
    "the list is cut short": lambda folder: (folder / RECORD).write_text(record(TREE)[:-50]),
    "the list is something else": lambda folder: (folder / RECORD).write_bytes(b"\xff\0,"),
    "half removed": lambda folder: shutil.rmtree(folder / "sglang"),
    "all but removed": emptied,
    "a file in its place": replaced,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_release_is_not_prepared_and_is_fetched_anew(
    home: Path,
    use_pip: Callable[[Pip], list[list[str]]],
    damage: Callable[[Path], object],
) -> None:
    folder = prepare(home, "0.5.13.post1")
    assert store.damaged() == {}
    damage(folder)
    assert store.prepared() == []
    assert list(store.damaged()) == ["0.5.13.post1"]
    with pytest.raises(
        Unavailable, match=r"is damaged: .* run 'radixproof systems add sglang==0\.5\.13\.post1'$"
    ):
        store.locate("0.5.13.post1")
    use_pip(deliver(TREE))
    assert store.add("0.5.13.post1", lambda _: None) == folder
    assert store.locate("0.5.13.post1").folder == folder
    assert list((home / "systems").iterdir()) == [folder]


def test_a_changed_file_of_the_same_length_is_noticed_by_its_content(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    folder = prepare(home, "0.5.13.post1")
    store.verify("0.5.13.post1")
    (folder / TREE).write_text("x = 2\n")
    with pytest.raises(Unavailable, match=f"the content of {TREE} is not what was released"):
        store.verify("0.5.13.post1")
    use_pip(deliver(TREE))
    lines: list[str] = []
    store.add("0.5.13.post1", lines.append)
    assert "the content of" in lines[0]
    store.verify("0.5.13.post1")


def test_what_is_not_there_cannot_be_verified(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="not prepared"):
        store.verify("0.5.13.post1")
    monkeypatch.setattr(store, "installed_version", lambda: "0.5.13.post1")
    with pytest.raises(Unavailable, match="installed in this environment"):
        store.verify("0.5.13.post1")


def test_a_release_is_fetched_anew_by_force(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    folder = prepare(home, "0.5.13.post1")
    (folder / "note.txt").touch()
    use_pip(fail("ERROR: something odd"))
    with pytest.raises(Unavailable, match="something odd"):
        store.add("0.5.13.post1", lambda _: None, force=True)
    assert (folder / "note.txt").exists(), "what was there stays until there is something better"
    use_pip(deliver(TREE))
    store.add("0.5.13.post1", lambda _: None, force=True)
    assert not (folder / "note.txt").exists()
    assert list((home / "systems").iterdir()) == [folder]


@pytest.mark.parametrize("damage", [lambda folder: None, *DAMAGES.values()])
def test_a_release_is_removed_damaged_or_not(home: Path, damage: Callable[[Path], object]) -> None:
    damage(prepare(home, "0.5.13.post1"))
    kept = prepare(home, "0.5.12.post1")
    store.remove("0.5.13.post1")
    assert list((home / "systems").iterdir()) == [kept]
    with pytest.raises(Unavailable, match=r"SGLang 0\.5\.13\.post1 is not in .*systems"):
        store.remove("0.5.13.post1")


def test_what_was_half_removed_under_its_own_name_is_cleaned_away(home: Path) -> None:
    """As after a kill between the two parts of a removal."""
    folder = prepare(home, "0.5.13.post1")
    (home / "systems" / ".sglang-0.5.13.post1-x").mkdir()
    folder.rename(home / "systems" / ".sglang-0.5.13.post1-x" / "removed")
    assert (store.prepared(), store.damaged()) == ([], {})
    store.clean()
    assert nothing_in(home)


def test_cleaning_what_is_not_there_or_may_not_be_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "nothing"))
    store.clean()
    assert not (tmp_path / "nothing").exists()
    (tmp_path / "file").touch()
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path / "file"))
    store.clean()


@pytest.mark.parametrize("home", ["~no-such-user-here/x", "~no-such-user-here"])
def test_without_a_home_folder_there_is_a_sentence(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXPROOF_HOME", home)
    assert (store.prepared(), store.damaged()) == ([], {})
    for ask in (store.locate, store.remove, store.verify):
        with pytest.raises(Unavailable, match=r"there is no home folder .*: set RADIXPROOF_HOME"):
            ask("0.5.13.post1")
    with pytest.raises(Unavailable, match="set RADIXPROOF_HOME"):
        store.add("0.5.13.post1", lambda _: None)


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
    [
        "",
        "latest",
        "٠.٥.١٣",
        "1." + "9" * 5_000,
        "0.5.13.1.1.1.1",
        "0.5",
        "0.5.13 --index-url=x",
        "../0.5.13",
        "0.5.13;rm",
        "0.5.13\n",
        "==0.5.13",
    ],
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
    (home / "systems" / "sglang-of-mine").mkdir()
    (home / "systems" / ".sglang-0.5.15-abc").mkdir()
    assert store.prepared() == ["0.5.9", "0.5.12.post1", "0.5.13rc1", "0.5.13", "0.5.13.post1"]
    assert list(store.damaged()) == ["0.5.14"]


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


@pytest.mark.parametrize("below", [".", "python"])
def test_a_source_tree_is_found_where_a_checkout_has_it(below: str, tmp_path: Path) -> None:
    root = tmp_path / below
    file = root / TREE
    file.parent.mkdir(parents=True)
    file.touch()
    assert store.source_tree(tmp_path) == store.Release(store.UNKNOWN, root.resolve(), True)
    (root / "sglang" / "_version.py").write_text(
        "__version__: str\n\n__version__ = version = '0.5.24.dev7+g1234abc'\n"
    )
    assert store.source_tree(tmp_path).version == "0.5.24.dev7"


def test_a_folder_without_sglang_is_no_source_tree(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"there is no SGLang in .*: a source tree has sglang"):
        store.source_tree(tmp_path)
