"""Pasted tests fail and pass where they should.

They are run as a stranger would run them, by pytest in a process of its own, once per release.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.sglang.names import version_in
from radixproof.impl.sglang.releases import scope_of

from ....own_process import printed_by
from ....releases import ends
from ..scenarios.bench import RELEASES, RUST
from ..test_plugin import run_pytest
from .findings import files_for

BUGS = {
    "seed": ("[1 2] should be in the FULL pool on the host and is not", {"0.5.12.post1"}),
    "replaced": (
        "[1 2 3] no longer has its FULL slots on the device",
        {"0.5.12.post1", "0.5.13.post1", "0.5.14"},
    ),
    "forgotten": ("a request goes on from 1 tokens with a state of [0.0], not [1]", {*RELEASES}),
    "target": (
        "a slot of MAMBA_HOST is free that a copy in flight is still to write to",
        {"0.5.18", "0.5.19", "0.5.20", "0.5.21", "0.5.22", "0.5.23"},
    ),
    "announced": (
        "'CPU') is stored, but it is there already",
        {"0.5.18", "0.5.19", "0.5.20", "0.5.21", "0.5.22", "0.5.23"},
    ),
    "shared": (
        "'GPU') is stored, but it is there already",
        {*RELEASES} - {"0.5.12.post1", "0.5.22", "0.5.23"},
    ),
    "stolen": (
        "[1] has 0 SWA locks and should have 1",
        {"0.5.15.post1", "0.5.16", "0.5.17", "0.5.18", "0.5.19"},
    ),
}
"""Bugs of SGLang: what their files fail with, and on which releases; on the others they pass."""
WRONG = {
    "wrong_held": "[1 2] is in the SWA pool on the host and should not be",
    "wrong_absent": "[1 3] should be in the FULL pool on the device and is not",
    "wrong_locks": "[1 2] has 1 FULL locks and should have 2",
    "wrong_kept": "[1 2] still has its SWA slots on the device",
    "wrong_quiet": "nothing holds a lock, but",
    "wrong_content": "the slots of [1 2] do not hold what was computed for it",
    "wrong_leaf": "[1 2] is not in the set of evictable device leaves",
}
"""Files that say what is false, and what they fail with."""
WRONG_BY_CALLS = ("wrong_kept", "wrong_quiet")
"""Those of them that a core is written for that does not show its nodes."""
BUGS_BY_CALLS = ("forgotten", "target", "announced")
"""Bugs that both cores have, and that show in what calls return."""


WRITING = """
import sys
from pathlib import Path
from radixproof.impl.sglang.names import version_in
from radixproof.impl.sglang.paste.shown import Unwritable
from radixproof.properties.reporting.for_sglang import source
from tests.impl.sglang.paste.findings import files_for
system, folder = sys.argv[1:]
for name, (history, found) in files_for(version_in(system)).items():
    try:
        text = source(system, history, found.signature, found)
    except Unwritable:
        continue
    Path(folder, f"test_{name}.py").write_text(text)
"""
"""Run in a process of its own, since a process runs one release."""


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.release
@pytest.mark.parametrize("release", ends(RELEASES))
def test_files_fail_for_bugs_and_for_what_is_false_and_pass_otherwise(
    release: str, tmp_path: Path
) -> None:
    failures = failures_of_all_files(release, tmp_path)
    assert set(failures) == set(files_for(release))
    expected = {name: text for name, (text, where) in BUGS.items() if release in where} | WRONG
    for name, text in expected.items():
        assert text in failures[name], name
    assert failed_among(true_for(release) - expected.keys(), failures) == {}


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.release
@pytest.mark.parametrize("system", ends(RUST))
def test_of_the_other_core_what_calls_return_is_asserted(system: str, tmp_path: Path) -> None:
    failures = failures_of_all_files(system, tmp_path)
    for name in WRONG_BY_CALLS:
        assert WRONG[name] in failures[name], name
    assert {"request_quiet", "returned", "content"} <= failures.keys()
    assert not failures.keys() & {"wrong_locks", "wrong_leaf", "stolen", "replaced"}
    version = version_in(named(system))
    bugs = {name for name in (*BUGS_BY_CALLS, "shared") if version in BUGS[name][1]}
    assert {*BUGS_BY_CALLS} <= bugs
    for name in bugs:
        assert BUGS[name][0] in failures[name], name
    takes_no_such_number = {"silent"}
    others = true_for(system) - takes_no_such_number - bugs
    assert failed_among(others, failures) == {}


def true_for(system: str) -> set[str]:
    """Files that say what holds on a release without bugs, of operations that it can be put to."""
    version = version_in(named(system))
    offered = set(scope_of(version).operations)
    return {
        name
        for name, (history, _) in files_for(version).items()
        if name not in WRONG and set(map(type, history.operations)) <= offered
    }


def failed_among(names: set[str], failures: dict[str, str]) -> dict[str, str]:
    return {name: failures[name] for name in names & failures.keys() if failures[name]}


def named(release: str) -> str:
    return f"sglang=={release}"


def failures_of_all_files(release: str, folder: Path) -> dict[str, str]:
    """Per file that can be written, what its test failed with on the release, or an empty text."""
    version = version_in(named(release))
    if version not in store.prepared():
        pytest.skip(f"run 'radixproof systems add sglang=={version}'")
    printed_by(WRITING, named(release), str(folder))
    result = run_pytest(folder, "--sglang", version, "--junit-xml=result.xml")
    assert result.returncode in {0, 1}, result.stdout + result.stderr
    return {
        case.get("classname", "").removeprefix("test_"): next(
            (child.get("message", "?") for child in case), ""
        )
        for case in ElementTree.parse(folder / "result.xml").iter("testcase")
    }
