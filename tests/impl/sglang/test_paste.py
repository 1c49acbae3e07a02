"""Findings as plain pytest files: what they look like, and that they fail and pass where they should.

Pasted files are run as a stranger would run them, by pytest in a process of its own: all of them at once, once per release.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from radixproof.impl.operations import (
    OPERATIONS,
    Abort,
    Arrive,
    Decode,
    Evict,
    EvictHost,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.sglang import store
from radixproof.impl.sglang.paste.render import render
from radixproof.impl.sglang.releases import scope_of
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property, Witness

RELEASES = (
    "0.5.12.post1",
    "0.5.13.post1",
    "0.5.14",
    "0.5.15.post1",
    "0.5.16",
    "0.5.17",
    "0.5.18",
    "0.5.19",
)
OLD = RELEASES[0]
FULL_ONLY = Config()
FULL_ONLY_PAGED = Config(page_size=2, device_pages=6, host_pages=4)
SWA = Config(page_size=1, window=1, device_pages=8, swa_pages=8, host_pages=16, swa_host_pages=16)
SWA_PAGED = Config(
    page_size=3, window=4, device_pages=5, swa_pages=4, host_pages=3, swa_host_pages=6, threshold=2
)
HOSTLESS = Config(
    page_size=2,
    window=2,
    device_pages=6,
    swa_pages=6,
    host_pages=0,
    eviction_policy=EvictionPolicy.LFU,
)
WRITE_BACK = Config(page_size=2, device_pages=6, host_pages=8, write_back=True)
CONFIGS = (FULL_ONLY, FULL_ONLY_PAGED, SWA, SWA_PAGED, HOSTLESS)
SETTINGS = Path(__file__).parents[3] / "pyproject.toml"


def breach(
    witness: Witness | None, violates: Property = Property.PROGRESS, rule: str = "rule"
) -> Breach:
    return Breach(violates, rule, "[1 | 2] was expected, but\nwas not \\ seen '''\"\"\"", witness)


def key(*tokens: int, namespace: str = "") -> Key:
    return Key(tokens, namespace)


def busy(config: Config) -> History:
    """Most operations in all forms, those that are skipped included; it ends with an idle cache that holds one prompt twice."""
    page = config.page_size
    one, two = tuple(range(1, 1 + page)), tuple(range(1, 1 + 2 * page))
    boundary = 0 if config.window is None else page
    operations: list[Operation] = [
        Insert(Key(two), boundary),
        Insert(Key((*two, 99)), reuse=True),
        Insert(Key(one), evicted=5 * page),
        Match(Key((*two, 99))),
        Match(Key(())),
        Lock("r", Key(two)),
        Lock("r", Key(one)),
        Lock("class_", Key(one, "a")),
        Unlock("nobody"),
        Reset(),
        RunCopies(2),
        WritingCheck(),
        Unlock("r"),
        Insert(Key(tuple(range(20, 20 + 2 * page))), boundary, reuse=True),
        Insert(Key(tuple(range(30, 30 + 9 * page)))),
        Evict(page, 0 if config.window is None else page),
        EvictHost(page),
        LoadBack(Key(two)),
        LoadingCheck(blocking=True),
        *([] if config.window is None else [EvictHost(1, Component.SWA)]),
        Unlock("class_"),
        WritingCheck(blocking=True),
        Reset(),
        Insert(Key(two, "a")),
        Insert(Key(two)),
        WritingCheck(blocking=True),
        Lock("last", Key(two)),
    ]
    return History(config, tuple(operations))


def files() -> dict[str, tuple[History, Breach]]:
    """Everything that is run on the releases, by the name of its file."""
    seed = History(SWA, (Insert(key(1, 2), 1), Evict(1)))
    recovered = History(
        replace(SWA, page_size=3, window=4),
        (Insert(key(1, 2, 3, 4, 5, 6), 3), Insert(key(1, 2, 3))),
    )
    innocent = History(
        SWA, (Insert(key(1, 2)), WritingCheck(blocking=True), Lock("a", key(1, 2)), Evict(2))
    )
    stolen = History(
        SWA, (Insert(key(1, 2), 2), Insert(key(1)), Lock("a", key(1)), WritingCheck(blocking=True))
    )
    crash = History(FULL_ONLY, (Insert(key(1)), EvictHost(-1)))
    there_and_back = (
        Insert(key(1, 2), priority=1),
        WritingCheck(blocking=True),
        Evict(2),
        LoadBack(key(1, 2), quota=2),
    )
    loaded = History(SWA, (*there_and_back, RunCopies(1, load=True), LoadingCheck()))
    loads = [LoadBack(key(token)) for token in range(5)]
    many = (
        *[Insert(key(token)) for token in range(5)],
        WritingCheck(blocking=True),
        Evict(5),
        *loads,
        LoadingCheck(blocking=True),
    )
    receipts = (
        Insert(key(1, 2)),
        WritingCheck(blocking=True),
        Lock("a", key(1, 2)),
        ReleaseWindow("a"),
        HostLock("b", key(1, 2)),
    )
    written_back = History(WRITE_BACK, (Insert(key(1, 2)), Evict(2)))
    cases = {
        "seed": (
            seed,
            breach(Witness(key(1, 2), Pool.FULL_HOST, held=True), rule="never-backed-up"),
        ),
        "replaced": (
            recovered,
            breach(Witness(key(1, 2, 3), Pool.FULL, kept=True), Property.PIN, "full-replaced"),
        ),
        "stolen": (
            stolen,
            breach(Witness(key(1), Pool.SWA, locks=1), Property.LOCK, "swa-too-few"),
        ),
        "innocent": (innocent, breach(Witness(key(1, 2), Pool.FULL, held=True))),
        "loaded": (loaded, breach(Witness(key(1, 2), Pool.SWA, locks=0))),
        "loading": (History(SWA, there_and_back), breach(Witness(key(1, 2), Pool.SWA, locks=1))),
        "many": (History(FULL_ONLY, many), breach(Witness(key(4), Pool.FULL, held=True))),
        "receipts": (History(SWA, receipts), breach(Witness(key(1, 2), Pool.SWA, locks=0))),
        "host_receipt": (
            History(SWA, receipts),
            breach(Witness(key(1, 2), Pool.FULL_HOST, locks=1)),
        ),
        "returned": (
            History(SWA, (*receipts, Unlock("a"), Unlock("b"))),
            breach(None, Property.QUIESCE),
        ),
        "written_back": (written_back, breach(Witness(key(1, 2), Pool.FULL_HOST, held=True))),
        "wrong_held": (innocent, breach(Witness(key(1, 2), Pool.SWA_HOST, held=False))),
        "wrong_absent": (innocent, breach(Witness(key(1, 3), Pool.FULL, held=True))),
        "wrong_locks": (innocent, breach(Witness(key(1, 2), Pool.FULL, locks=2))),
        "wrong_kept": (innocent, breach(Witness(key(1, 2), Pool.SWA, kept=False))),
        "wrong_quiet": (innocent, breach(None, Property.QUIESCE)),
        "silent": (crash, breach(None, Property.NOCRASH, "ValueError@here")),
    }
    for number, config in enumerate(CONFIGS):
        two = tuple(range(1, 1 + 2 * config.page_size))
        for at, witness in enumerate(true_of_busy(config, Key(two))):
            cases[f"busy_{number}_{at}"] = (busy(config), breach(witness))
    return cases


def true_of_busy(config: Config, prompt: Key) -> Iterator[Witness | None]:
    yield None
    for pool in config.pools:
        on_host = config.threshold == 1 and pool.on_host
        yield Witness(prompt, pool, held=on_host or not pool.on_host)
        yield Witness(replace(prompt, namespace="b"), pool, held=False)
        if not pool.on_host:
            yield Witness(prompt, pool, locks=1)
            yield Witness(replace(prompt, namespace="a"), pool, locks=0)
            yield Witness(prompt, pool, kept=True)


@functools.cache
def outcomes(release: str) -> dict[str, str]:
    """Per file, what its test failed with on the release, or an empty text; skips where the release cannot be run."""
    if release not in store.prepared():
        pytest.skip(
            f"SGLang {release} is not prepared: run 'radixproof systems add sglang=={release}'"
        )
    with tempfile.TemporaryDirectory() as folder:
        for name, (history, found) in files().items():
            Path(folder, f"test_{name}.py").write_text(render(history, found, release))
        result = run_pytest(Path(folder), "--sglang", release, "--junit-xml=result.xml")
        assert result.returncode in {0, 1}, result.stdout + result.stderr
        cases = ElementTree.parse(Path(folder, "result.xml")).iter("testcase")
        return {
            case.get("classname", "").removeprefix("test_"): next(
                (child.get("message", "?") for child in case), ""
            )
            for case in cases
        }


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plugins = ["-p", "no:cacheprovider", "-p", "radixproof.impl.sglang.plugin"]
    command = [sys.executable, "-m", "pytest", *plugins, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.sglang
@pytest.mark.parametrize("release", RELEASES)
def test_every_file_was_run(release: str) -> None:
    assert set(outcomes(release)) == set(files())


BUGS = {
    "seed": ("[1 2] should be in the FULL pool on the host and is not", {"0.5.12.post1"}),
    "replaced": (
        "[1 2 3] no longer has its slots in the FULL pool on the device",
        {"0.5.12.post1", "0.5.13.post1", "0.5.14"},
    ),
    "stolen": (
        "[1] has 0 SWA locks and should have 1",
        {"0.5.15.post1", "0.5.16", "0.5.17", "0.5.18", "0.5.19"},
    ),
}
"""Bugs of SGLang: what their files fail with, and on which releases; on the others they pass."""


@pytest.mark.sglang
@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_bug_fails_on_the_releases_that_have_it(release: str, bug: str) -> None:
    message, releases = BUGS[bug]
    failure = outcomes(release)[bug]
    assert message in failure if release in releases else failure == ""


@pytest.mark.sglang
@pytest.mark.parametrize("release", RELEASES)
def test_what_is_true_passes(release: str) -> None:
    offered = set(scope_of(release).operations)
    whole = {
        name
        for name, (history, _) in files().items()
        if set(map(type, history.operations)) <= offered
    }
    failed = {name: text for name, text in outcomes(release).items() if text}
    assert {
        name for name in failed if name in whole - set(BUGS) and not name.startswith("wrong")
    } == set(), failed


@pytest.mark.sglang
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wrong_held", "[1 2] is in the SWA pool on the host and should not be"),
        ("wrong_absent", "[1 3] should be in the FULL pool on the device and is not"),
        ("wrong_locks", "[1 2] has 1 FULL locks and should have 2"),
        ("wrong_kept", "[1 2] still has its slots in the SWA pool on the device"),
        ("wrong_quiet", "nothing holds a lock, but"),
    ],
)
def test_what_is_false_fails_with_a_sentence(release: str, name: str, message: str) -> None:
    assert message in outcomes(release)[name]


UNWRITTEN = {HostInsert, Refuse, Arrive, Prefill, Decode, Finish, Abort}
"""Operations that no pasted test can have yet."""


# -- the plugin --------------------------------------------------------------------------------------------------------------------


def test_a_release_that_is_not_prepared_is_a_usage_error(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, "--sglang", "0.5.0")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert [
        line
        for line in result.stderr.splitlines()
        if line.startswith("ERROR: --sglang: SGLang 0.5.0 is not prepared")
    ]
    assert "Traceback" not in result.stderr


def test_without_the_option_the_plugin_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\n\n\ndef test_it():\n    assert 'sglang' not in sys.modules\n"
    )
    result = run_pytest(tmp_path)
    assert result.returncode == 0, result.stdout
    assert "sglang:" not in result.stdout


@pytest.mark.sglang
def test_a_gpu_of_the_machine_is_not_used(tmp_path: Path) -> None:
    if OLD not in store.prepared():
        pytest.skip(f"SGLang {OLD} is not prepared: run 'radixproof systems add sglang=={OLD}'")
    (tmp_path / "conftest.py").write_text(
        "import torch\n\ntorch.cuda.is_available = lambda: True\n"
    )
    (tmp_path / "test_it.py").write_text(render(*files()["innocent"], OLD))
    result = run_pytest(tmp_path, "--sglang", OLD)
    assert result.returncode == 0, result.stdout
    assert f"sglang: {OLD}" in result.stdout


# -- the text ----------------------------------------------------------------------------------------------------------------------


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
        f"PROGRESS/never-backed-up in the unified radix cache of SGLang {OLD}. What must hold: eviction frees what"
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
        assert after.startswith("\n\n    #"), left_out


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
    assert HostLock not in scope_of(OLD).operations
    assert "# 5. host_lock b [1 2]: left out, the release has no such operation\n\n" in render(
        history, found, OLD
    )
    assert "# 5. host_lock b [1 2]: left out" in render(history, found, RELEASES[-1])
