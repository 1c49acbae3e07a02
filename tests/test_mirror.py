"""Tests stand where the files stand that they test."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent

OF_NO_FILE = {
    "impl/radix/test_imports.py",
    "impl/radix/test_random.py",
    "impl/sglang/test_system.py",
    "model/test_alone.py",
    "model/test_backups.py",
    "model/test_choices.py",
    "model/test_host_choices.py",
    "model/test_host_insert.py",
    "model/test_insert.py",
    "model/test_loading.py",
    "model/test_locks.py",
    "model/test_match.py",
    "model/test_purity.py",
    "properties/running/test_clean.py",
}
"""Tests that are about more than one file. The list must only shrink."""


def subject(test: Path) -> Path | None:
    """What a test is about: ``tests/room/test_tree_cut.py`` about ``room/tree.py``, or a folder.

    The name of a test begins with that of its subject, and may go on with what it asks of it. A
    test that is named for its own folder is about the package as a whole.
    """
    room = ROOT / test.parent.relative_to(TESTS)
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:length]) for length in range(len(words), 0, -1)]
    files = [path for name in names for path in (room / f"{name}.py", room / name)]
    return next((path for path in files if path.exists()), room if room.name in names else None)


def in_rooms() -> list[Path]:
    return sorted(TESTS.glob("*/**/test_*.py"))


def test_every_test_stands_where_its_subject_stands() -> None:
    astray = {str(path.relative_to(TESTS)) for path in in_rooms() if subject(path) is None}
    assert astray == OF_NO_FILE


def test_subjects_are_told_apart() -> None:
    """Lest the test above is about nothing."""
    judging = TESTS / "properties" / "judging"
    assert subject(judging / "test_judge_locks.py") == ROOT / "properties" / "judging" / "judge.py"
    assert subject(judging / "test_judges.py") is None
    assert subject(judging / "test_run.py") is None
    assert subject(TESTS / "impl" / "test_faults.py") == ROOT / "impl" / "faults"
