"""Findings as pytest files to keep.

Those of our own systems carry their history; those of SGLang carry nothing of ours.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from radixproof.impl.operations import Evict, History, Insert, WritingCheck
from radixproof.impl.sglang import store
from radixproof.impl.sglang.paste.shown import Unwritable
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.generating.configs import plainest
from radixproof.properties.reporting import for_sglang, regression_test
from radixproof.properties.reporting.regression_test import NoStandaloneTest
from radixproof.properties.workers.replaying import replay_in_children

from ...own_process import completed
from ..guarding import fatal

SETTINGS = Path(__file__).parents[3] / "pyproject.toml"
HISTORY = History(
    Config(page_size=1, window=1, device_pages=8, swa_pages=8, host_pages=16, swa_host_pages=16),
    (Insert(Key((1,))), WritingCheck(blocking=True), Insert(Key((1, 2, 3)), 2)),
    {"system": "fault:split-parent-not-backed-up", "note": 'a "quoted"\\path and """'},
)
BREACH = Breach(
    Property.PROGRESS,
    "never-backed-up",
    'node "1\\2" was lost',
    Witness(Key((1, 2)), Pool.FULL_HOST, held=True),
)
FAULT = "fault:split-parent-not-backed-up"
SOURCE = """
import radixproof
from radixproof import Config, History, Insert, Key, WritingCheck

HISTORY = History(
    Config(window=1, swa_pages=8, swa_host_pages=16),
    (
        # adds [1]
        Insert(Key((1,))),
        # ends the backup of [1]
        WritingCheck(blocking=True),
        # adds [1 | 2] and [1 2 | 3]
        Insert(Key((1, 2, 3)), evicted=2),
    ),
)


def test_progress_never_backed_up():
    bad = radixproof.replay(radixproof.find("fault:split-parent-not-backed-up"), HISTORY)
    assert bad is None, f"step {bad.step + 1}: {bad.breach.signature}: {bad.breach.text}"
"""


@pytest.fixture(scope="module")
def written() -> str:
    """The test of a planted bug."""
    return regression_test.source_of_test(FAULT, HISTORY, BREACH)


@pytest.fixture(scope="module")
def printed(written: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints of that test, and of the same for our own cache."""
    folder = tmp_path_factory.mktemp("pasted")
    (folder / "test_faulty.py").write_text(written, encoding="utf-8")
    (folder / "test_ours.py").write_text(written.replace(FAULT, "radix"), encoding="utf-8")
    done = completed("pytest", "-q", "-rA", "-p", "no:cacheprovider", cwd=folder)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    return done.stdout


@pytest.mark.slow
def test_it_passes_on_a_system_without_the_bug(printed: str) -> None:
    assert "PASSED test_ours.py::" in printed
    assert "1 failed, 1 passed" in printed


@pytest.mark.slow
def test_it_fails_on_the_faulty_system_with_what_the_verdict_says(printed: str) -> None:
    assert "FAILED test_faulty.py::" in printed
    assert "AssertionError: step 3: PROGRESS/never-backed-up: " in printed
    assert "the host had room for it, but it was not backed up" in printed


def test_the_history_is_code_and_each_step_says_what_it_does(written: str) -> None:
    docstring, code = written[3:].split('"""\n', 1)
    assert code == SOURCE
    assert "What must hold: eviction frees what it was asked for" in docstring


def test_the_history_is_the_same(written: str) -> None:
    names: dict[str, object] = {}
    exec(written, names)
    history = names["HISTORY"]
    assert isinstance(history, History)
    assert (history.config, history.operations) == (HISTORY.config, HISTORY.operations)


def test_it_imports_radixproof_and_nothing_else(written: str) -> None:
    tree = ast.parse(written)
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules == {"radixproof"}


def test_the_docstring_says_what_happened(written: str) -> None:
    text = " ".join((ast.get_docstring(ast.parse(written)) or "").split())
    assert text.startswith(f"PROGRESS/never-backed-up in {FAULT}, found by radixproof.")
    assert 'What happened: node "1\\2" was lost.' in text


def test_it_is_formatted_and_without_lint(written: str, tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    file = tmp_path / "test_pasted.py"
    file.write_text(written)
    for command in (["format", "--diff"], ["check"]):
        arguments = [sys.executable, "-m", "ruff", *command, "--no-cache"]
        arguments += ["--config", str(SETTINGS), str(file)]
        result = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def test_what_would_end_pytest_is_run_in_processes_of_its_own() -> None:
    system, operations = fatal.name(fatal.interrupts), (Insert(Key((1, 2))), Insert(Key((3,))))
    history = History(plainest(fatal.interrupts().scope), (*operations, Evict(2)))
    breach = replay_in_children(system, history).breach
    assert breach is not None
    assert breach.signature == "NOCRASH/KeyboardInterrupt@Interrupts.end"
    written = regression_test.source_of_test(system, history, breach)
    assert "replayed = replay_in_children(" in written


def test_a_test_that_passes_is_none() -> None:
    with pytest.raises(NoStandaloneTest, match="passes: it asserts too little"):
        regression_test.source_of_test("radix", HISTORY, BREACH)


def test_a_system_that_is_not_found_by_its_name_has_no_test() -> None:
    with pytest.raises(NoStandaloneTest, match="UnknownSystem"):
        regression_test.source_of_test("a cache of somebody", HISTORY, BREACH)


def test_what_cannot_be_written_has_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def source(system: str, history: History, signature: str) -> str:
        raise Unwritable(f"{signature} on {system} is too much")

    monkeypatch.setattr(for_sglang, "source", source)
    with pytest.raises(
        NoStandaloneTest, match=r"PROGRESS/never-backed-up on sglang==0\.5\.13 is too much"
    ):
        regression_test.source_of_test("sglang==0.5.13", HISTORY, BREACH)


def test_a_crash_is_expected_only_where_it_is_the_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(for_sglang, "source", lambda *_: "def test_it():\n    raise KeyError\n")
    monkeypatch.setattr("radixproof.impl.sglang.shim.on_cpu", lambda _: None)
    monkeypatch.setattr(store, "locate", lambda _: None)
    crash = Breach(Property.NOCRASH, "KeyError@somewhere", "it crashed")
    assert "KeyError" in regression_test.source_of_test("sglang==0.5.13", HISTORY, crash)
    with pytest.raises(NoStandaloneTest, match="something else: KeyError in test_it"):
        regression_test.source_of_test("sglang==0.5.13", HISTORY, BREACH)


def test_the_installed_sglang_is_named_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "installed_version", lambda: "0.5.13")
    assert regression_test.command("sglang", "test_x.py").endswith("--sglang 0.5.13 test_x.py")
    monkeypatch.setattr(store, "installed_version", lambda: None)
    with pytest.raises(Unavailable, match="not installed"):
        regression_test.source_of_test("sglang", HISTORY, BREACH)
