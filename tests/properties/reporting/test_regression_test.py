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
from radixproof.impl.sglang.paste.render import render
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.reporting import regression_test

SETTINGS = Path(__file__).parents[3] / "pyproject.toml"
HISTORY = History(
    Config(page_size=1, window=1, device_pages=8, swa_pages=8, host_pages=16, swa_host_pages=16),
    (Insert(Key((1, 2)), 1), WritingCheck(blocking=True), Evict(2)),
    {"system": "fault:split-parent-not-backed-up", "note": 'a "quoted"\\path and """'},
)
BREACH = Breach(
    Property.PROGRESS,
    "never-backed-up",
    'node "1\\2" was lost',
    Witness(Key((1, 2)), Pool.FULL_HOST, held=True),
)
FAULT = "fault:split-parent-not-backed-up"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints of two pasted tests, one of our own cache, the other of a planted bug."""
    folder = tmp_path_factory.mktemp("pasted")
    for name, system in (("test_ours", "radix"), ("test_faulty", FAULT)):
        source = regression_test.test(system, HISTORY, BREACH)
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    return done.stdout


def embedded(source: str) -> str:
    (value,) = [node.value for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    text = ast.literal_eval(value)
    assert isinstance(text, str)
    return text


@pytest.mark.slow
def test_it_passes_on_a_system_without_the_bug(printed: str) -> None:
    assert "PASSED test_ours.py::" in printed
    assert "1 failed, 1 passed" in printed


@pytest.mark.slow
def test_it_fails_on_the_faulty_system_with_what_the_verdict_says(printed: str) -> None:
    assert "FAILED test_faulty.py::" in printed
    assert "AssertionError: step 3: PROGRESS/never-backed-up: " in printed
    assert "should have demoted it to the host" in printed


def test_the_history_survives_the_embedding() -> None:
    assert from_json(embedded(regression_test.test("radix", HISTORY, BREACH))) == HISTORY


def test_a_plain_history_is_embedded_as_a_plain_string() -> None:
    source = regression_test.test("radix", History(HISTORY.config, HISTORY.operations), BREACH)
    assert 'HISTORY = """\n{\n  "radixproof": 2,' in source


def test_it_imports_radixproof_and_nothing_else() -> None:
    tree = ast.parse(regression_test.test("radix", HISTORY, BREACH))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} == {"radixproof"}


def test_the_docstring_says_what_must_hold_and_what_happened() -> None:
    text = " ".join(
        (ast.get_docstring(ast.parse(regression_test.test(FAULT, HISTORY, BREACH))) or "").split()
    )
    assert text.startswith(f"PROGRESS/never-backed-up in {FAULT}, found by radixproof.")
    assert "What must hold: eviction frees what it was asked for" in text
    assert 'What happened: node "1\\2" was lost.' in text


def test_it_is_formatted_and_without_lint(tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    file = tmp_path / "test_pasted.py"
    file.write_text(regression_test.test(FAULT, HISTORY, BREACH))
    for command in (["format", "--diff"], ["check", "--ignore=E501"]):  # lines of JSON may be long
        arguments = [
            sys.executable,
            "-m",
            "ruff",
            *command,
            "--no-cache",
            "--config",
            str(SETTINGS),
            str(file),
        ]
        result = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def test_for_sglang_the_file_is_sglangs_own() -> None:
    assert regression_test.test("sglang==0.5.12.post1", HISTORY, BREACH) == render(
        HISTORY, BREACH, "0.5.12.post1"
    )


def test_the_installed_sglang_is_named_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "installed_version", lambda: "0.5.13")
    assert "of SGLang 0.5.13." in regression_test.test("sglang", HISTORY, BREACH)
    monkeypatch.setattr(store, "installed_version", lambda: None)
    with pytest.raises(Unavailable, match="not installed"):
        regression_test.test("sglang", HISTORY, BREACH)
