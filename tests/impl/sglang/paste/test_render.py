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
    Arrive,
    EndPrefetch,
    Evict,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    Lock,
    Match,
    Prefetch,
    Refuse,
    ReleaseWindow,
    Requested,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.impl.sglang.names import PYTHON, RUST
from radixproof.impl.sglang.paste.render import HELPERS, render
from radixproof.impl.sglang.paste.shown import NOTHING_SEEN, Found, Seen, Unwritable
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property, Witness

from .findings import SWA, SWA_PAGED, breach, files, key

OLD, NEW = "0.5.12.post1", "0.5.23"
SETTINGS = Path(__file__).parents[4] / "pyproject.toml"
OF_REQUESTS = {
    *("first_state", "arrived", "compute", "track", "slide", "carry_on", "end"),
    "release_swa_of",
}
"""Helpers that are called where calls were made for requests."""
UNWRITTEN = {Refuse, RunForward}
"""Operations that no pasted test has."""


@functools.cache
def rendered() -> dict[str, str]:
    long = Key((*range(100), *range(200, 20, -3)))
    far = Key(tuple(range(1000, 3000, 3)), "a")
    wide = replace(SWA, device_pages=10**6, host_pages=10**7, swa_pages=10**5)
    cases = {
        **{name: case for name, case in files().items() if not needs_a_run(*case)},
        "nothing": (History(SWA, ()), breach(None)),
        "long": (
            History(wide, (Insert(long, 100, True), Lock("r", far), Match(far))),
            breach(Witness(long, Pool.SWA, held=True)),
        ),
        "far": (History(wide, (Insert(far),)), breach(Witness(far, Pool.SWA_HOST, held=True))),
        "bare": (History(Config(host_pages=0), (Insert(key(1)), Evict(1))), breach(None)),
        "crash": (
            History(SWA, (Insert(key(1)), Evict(1))),
            breach(None, Property.NOCRASH, "AssertionError@UnifiedRadixCache._evict_to_host"),
        ),
        "endless": (files()["silent"][0], breach(None, Property.NOCRASH, "Endless@Victims.take")),
        "locks": (History(wide, (Insert(far),)), breach(Witness(far, Pool.SWA, locks=0))),
        "leaf": (History(wide, (Insert(far),)), breach(Witness(far, Pool.FULL, leaf=True))),
        "ranks": (
            History(Config(ranks=2), (Insert(key(1)), RunCopies(rank=1), WritingCheck())),
            breach(None, Property.RANK),
        ),
    }
    return {name: render(*case, OLD) for name, case in cases.items()}


def needs_a_run(history: History, found: Breach) -> bool:
    """What is written depends on what was seen: tests on releases have it."""
    said = found.witness
    compared = said is not None and (said.kept is not None or said.content is not None)
    kinds = {type(one) for one in history.operations}
    skipped = {HostLock, Reset} & kinds  # as the histories have them
    return compared or bool(skipped) or any(issubclass(kind, Requested) for kind in kinds)


def test_all_operations_and_all_pools_are_rendered() -> None:
    used = {type(operation) for history, _ in files().values() for operation in history.operations}
    assert used | UNWRITTEN == set(OPERATIONS)
    assert not used & UNWRITTEN
    assert {found.witness.pool for _, found in files().values() if found.witness} == set(Pool)


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
            "hashlib",
            "inspect",
            "sglang",
            "torch",
            "unittest",
        }


def test_the_steps_are_the_history_in_words_and_what_each_did() -> None:
    history, found = files()["seed"]
    source = render(history, found, OLD, ["adds [1] and [1 | 2]", "deletes [1 | 2]"])
    assert source.endswith(
        """
    # 1. insert [1 2] evicted 1: adds [1] and [1 | 2]
    slots = allocator.alloc(2)
    allocator.free_swa(slots[:1])  # the window has slid past them
    insert(key(1, 2), slots, evicted=1)
    # 2. evict full 1: deletes [1 | 2]
    tree.evict(EvictParams(num_tokens=1))

    node = find([1, 2], tree.root_node)
    held = node is not None and node.component_data[ComponentType.FULL].host_value is not None
    assert held, "[1 2] should be in the FULL pool on the host and is not"
"""
    )


def test_four_operations_take_less_than_eighty_lines() -> None:
    """Where there is FULL alone; a window, and the calls of old releases, take more."""
    history = History(
        Config(threshold=2), (Insert(key(1, 2)), Match(key(1)), Insert(key(1, 2)), Evict(1))
    )
    found = breach(Witness(key(1, 2), Pool.FULL_HOST, held=True), rule="never-backed-up")
    for release in (OLD, NEW):
        assert len(render(history, found, release).splitlines()) < 80


def test_a_crash_is_announced_and_nothing_is_asserted() -> None:
    body = rendered()["silent"].split("def test_")[1]
    assert "# This raises: ValueError in here." not in body
    assert "# This raises ValueError in here.\n    tree.evict_host(-1" in body
    assert "assert" not in body


def test_what_the_test_does_not_need_is_not_there() -> None:
    source = rendered()["seed"]
    for absent in (
        "load_back",
        "MatchPrefixParams",
        "extra_key",
        "torch.cat",
        "MHATokenToKVPool",
        "host_pool",
    ):
        assert absent not in source


def test_what_only_old_releases_need_is_in_no_new_file() -> None:
    history, found = files()["loaded"]
    old, new = (render(history, found, release) for release in (OLD, NEW))
    for shim in ("except ImportError", "enable_kvcache_transpose", "getattr(", "hasattr("):
        assert shim in old
        assert shim not in new


def test_the_host_is_limited_only_if_it_may_get_full() -> None:
    tight = Config(host_pages=2)
    for length, limited in ((2, False), (3, True)):
        history = History(tight, (Insert(Key(tuple(range(length)))),))
        assert ("entry.host_pool.alloc(" in render(history, breach(None), NEW)) is limited


def test_receipts_that_nobody_gives_back_have_no_name() -> None:
    for end, named in ((Unlock("r"), True), (Evict(1), False)):
        source = render(History(SWA, (Insert(key(1)), Lock("r", key(1)), end)), breach(None), NEW)
        assert ("receipt_r = tree.inc_lock_ref(node_r).to_dec_params()\n" in source) is named
        assert ("    tree.inc_lock_ref(node_r)\n" in source) is not named


def test_of_several_ranks_that_one_is_written_whose_copies_run() -> None:
    source = rendered()["ranks"]
    assert source.count("finish_event.synchronize()") == 1
    assert "reduce):\n        tree.writing_check()\n" in source


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (History(SWA, (Refuse(Pool.FULL),)), "'refuse'"),
        (History(SWA, (Insert(key(1)), Arrive("r", key(1, 2)))), "'arrive'"),
        (History(SWA, (Prefetch("f", key(1, namespace="a")),)), "for the one namespace"),
        (History(replace(SWA, bigram=True), (HostInsert(key(1)),)), "for tokens alone"),
    ],
)
def test_what_cannot_be_written_says_why(history: History, why: str) -> None:
    with pytest.raises(Unwritable, match=why):
        render(history, breach(None), NEW)


def test_what_is_fetched_for_a_namespace_has_the_names_that_sglang_gives_it() -> None:
    brought = HostInsert(key(1)), HostInsert(key(1, namespace="a"))
    text = render(History(SWA, brought), breach(None), OLD, script=True)
    assert 'storage.host_insert([1], extra_key="a")' in text
    assert "utils.get_storage_hash_str" in render(History(SWA, brought), breach(None), NEW)
    assert "sha256" not in text


# -- scripts ---------------------------------------------------------------------------------------


def script(witness: Witness, core: str | None, seen: Seen = NOTHING_SEEN) -> str:
    history = History(SWA, (Insert(key(1, 2)), Evict(1)))
    return render(history, breach(witness), NEW, seen=seen, core=core, script=True)


def test_a_script_is_run_by_itself_and_on_all_releases() -> None:
    lost = Seen(found_before=Found(2, 2), found_after=Found(0, 0))
    source = script(Witness(key(1, 2), Pool.FULL, held=True), None, lost)
    assert 'if __name__ == "__main__":\n' in source
    assert "python -m radixproof.impl.sglang.run 0.5.23 THIS_FILE" in source
    for bridge in ("except ImportError", "enable_kvcache_transpose", "hasattr("):
        assert bridge in source
    assert "tree_core_backend" not in source
    assert "find(" not in source


def test_a_script_that_looks_into_nodes_asks_for_their_core() -> None:
    leaf = Witness(key(1, 2), Pool.FULL, leaf=True)
    assert 'tree_core_backend = "python"' in script(leaf, PYTHON)
    with pytest.raises(Unwritable, match="does not show its nodes"):
        script(leaf, None)


def test_a_test_of_the_other_core_notices_that_it_has_got_none() -> None:
    quiet = breach(None, Property.QUIESCE)
    source = render(History(SWA, (Insert(key(1)),)), quiet, NEW, core=RUST)
    assert 'assert "Rust" in type(tree.tree_core).__name__' in source


def test_a_core_that_is_an_option_is_asked_for_in_the_environment() -> None:
    quiet = breach(None, Property.QUIESCE)
    old, new = (
        render(History(SWA, (Insert(key(1)),)), quiet, version, core=RUST)
        for version in ("0.5.20", "0.5.21")
    )
    assert 'envs.SGLANG_UNIFIED_RADIX_TREE_CORE_BACKEND.override("rust")' in old
    assert "from sglang.srt.environ import envs" in old
    assert "tree_core_backend" not in old
    assert 'params.tree_core_backend = "rust"' in new


@pytest.mark.parametrize("release", [OLD, NEW])
def test_a_file_has_the_helpers_that_it_calls_and_no_others(release: str) -> None:
    every = History(
        SWA_PAGED,
        (
            Insert(key(1, 2, 3, 4), evicted=6),
            Insert(key(1, 2, 3), reuse=True),
            Lock("r", key(1, 2, 3)),
            ReleaseWindow("r"),
            LoadBack(key(1, 2, 3)),
            HostInsert(key(1, 2, 3)),
            Prefetch("f", key(1, 2, 3)),
            EndPrefetch("f"),
            WritingCheck(),
        ),
    )
    quiet = breach(None, Property.QUIESCE)
    names_of_all = set(HELPERS) - OF_REQUESTS
    if release == OLD:
        names_of_all.discard("poll")  # which is a single call there
    for history, names in ((every, names_of_all), (History(SWA, (Evict(1),)), set[str]())):
        source = render(history, quiet, release)
        assert {name for name in HELPERS if f"    def {name}(" in source} == names
