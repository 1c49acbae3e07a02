"""The text of pasted tests."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.impl.operations import (
    OPERATIONS,
    Abort,
    Arrive,
    Decode,
    Evict,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    Lock,
    Match,
    Prefill,
    Refuse,
)
from radixproof.impl.sglang.paste.render import render
from radixproof.impl.sglang.releases import scope_of
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Property, Witness

from .findings import SWA, breach, files, key

OLD, NEW = "0.5.12.post1", "0.5.19"
SETTINGS = Path(__file__).parents[4] / "pyproject.toml"
UNWRITTEN = {HostInsert, Refuse, Arrive, Prefill, Decode, Finish, Abort}
"""Operations that no pasted test can have yet."""


@functools.cache
def rendered() -> dict[str, str]:
    long = Key((*range(100), *range(200, 20, -3)))
    far = Key(tuple(range(1000, 3000, 3)), "a")
    wide = replace(SWA, device_pages=10**6, host_pages=10**7, swa_pages=10**5)
    cases = {
        **files(),
        "nothing": (History(SWA, ()), breach(None)),
        "long": (
            History(wide, (Insert(long, 100, True), Lock("r", far), Match(far))),
            breach(Witness(long, Pool.SWA, kept=True)),
        ),
        "far": (History(wide, (Insert(far),)), breach(Witness(far, Pool.SWA_HOST, held=True))),
        "unwritten": (History(SWA, (Insert(key(1)), Arrive("r", key(1, 2)))), breach(None)),
        "bare": (History(Config(host_pages=0), (Insert(key(1)), Evict(1))), breach(None)),
        "crash": (
            History(SWA, (Insert(key(1)), Evict(1))),
            breach(None, Property.NOCRASH, "AssertionError@UnifiedRadixCache._evict_to_host"),
        ),
        "locks": (History(wide, (Insert(far),)), breach(Witness(far, Pool.SWA, locks=0))),
    }
    return {name: render(*case, OLD) for name, case in cases.items()}


def test_all_operations_and_all_pools_are_rendered() -> None:
    used = {type(operation) for history, _ in files().values() for operation in history.operations}
    assert used | UNWRITTEN == set(OPERATIONS)
    assert not used & UNWRITTEN
    assert {found.witness.pool for _, found in files().values() if found.witness} == {
        pool for pool in Pool if "MAMBA" not in pool.name
    }


def test_every_file_is_python_formatted_and_without_lint(tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    for name, source in rendered().items():
        compile(source, name, "exec")
        (tmp_path / f"test_{name}.py").write_text(source)
    for command in (["format", "--diff"], ["check", "--output-format=concise"]):
        result = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                *command,
                "--no-cache",
                "--config",
                str(SETTINGS),
                str(tmp_path),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_a_file_imports_nothing_but_sglang_and_torch() -> None:
    for source in rendered().values():
        imports = [
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        modules = {
            node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in imports
        }
        assert {module.partition(".")[0] for module in modules} <= {
            "array",
            "inspect",
            "pytest",
            "sglang",
            "torch",
            "types",
        }


def test_the_docstring_says_what_must_hold_and_what_happened() -> None:
    text = " ".join((ast.get_docstring(ast.parse(rendered()["seed"])) or "").split())
    assert text.startswith(
        f"PROGRESS/never-backed-up in the unified radix cache of SGLang {OLD}. "
        "What must hold: eviction frees what"
    )
    assert "What happened: [1 | 2] was expected, but was not \\ seen ''''''." in text
    assert f"--sglang {OLD} THIS_FILE" in text


def test_the_steps_are_the_history_in_words() -> None:
    assert rendered()["seed"].endswith(
        """
def test_progress_never_backed_up():
    tree = make_cache()
    # 1. insert [1 2] evicted 1
    insert(tree, [1, 2], evicted=1)
    # 2. evict full 1
    tree.evict(EvictParams(num_tokens=1))

    node = node_at(tree, [1, 2])
    held = node is not None and node.component_data[ComponentType.FULL].host_value is not None
    assert held, "[1 2] should be in the FULL pool on the host and is not"
"""
    )


def test_steps_known_to_be_skipped_are_left_out() -> None:
    source = rendered()["busy_0_0"]
    for left_out in (
        "# 3. insert [1] evicted 5: left out, there is no SWA",
        "# 7. lock r [1]: left out, r is taken",
        "# 9. unlock nobody: left out, there is no receipt nobody",
        "# 10. reset: left out, the cache is not idle",
    ):
        after = source.split(left_out)[1]
        assert after.startswith("\n    #"), left_out


def test_a_crash_is_announced_and_nothing_is_asserted() -> None:
    body = rendered()["silent"].split("def test_")[1]
    assert "# This raises: ValueError in here.\n    tree.evict_host(-1" in body
    assert "assert" not in body


def test_an_operation_that_does_not_end_is_announced() -> None:
    history, _ = files()["silent"]
    source = render(history, breach(None, Property.NOCRASH, "Endless@Victims.take"), OLD)
    assert "# This never returns.\n    tree.evict_host(-1" in source


def test_helpers_that_are_not_needed_are_not_there() -> None:
    source = rendered()["seed"]
    for absent in (
        "def lock",
        "def match",
        "def reset",
        "def check",
        "def slots_at",
        "namespace",
        "reuse",
        "MHATokenToKVPool",
    ):
        assert absent not in source


def test_what_cannot_be_written_skips_itself_and_says_why() -> None:
    source = rendered()["unwritten"]
    assert source.endswith(
        """
def test_progress_rule():
    # 1. insert [1]
    # 2. arrive r [1 2]
    pytest.skip("not written: the operation 'arrive'")
"""
    )
    for config in (
        Config(bigram=True),
        Config(ranks=2),
        Config(mamba_states=2, mamba_host_states=2),
    ):
        assert "pytest.skip" in render(History(config, (Insert(key(1)),)), breach(None), OLD)


def test_operations_that_the_release_has_not_are_left_out() -> None:
    history, found = files()["receipts"]
    old, new = render(history, found, OLD), render(history, found, NEW)
    for source in (old, new):
        assert HostLock not in scope_of(OLD).operations
        assert "# 5. host_lock b [1 2]: left out, the system has no such operation\n\n" in source
    assert "# 4. release_window a: left out, the system has no such operation\n" in old
    assert "dec_swa_lock_only(" not in old
    assert "    tree.dec_swa_lock_only(node, params.swa_uuid_for_lock)\n" in new


def test_operations_that_no_release_has_are_left_out() -> None:
    """What no release can be put to does not keep a history from being written."""
    history = History(SWA, (Insert(key(1)), HostInsert(key(1)), Refuse(Pool.FULL)))
    source = render(history, breach(None), NEW)
    assert "pytest.skip" not in source
    assert "# 2. host_insert [1]: left out, the system has no such operation" in source
