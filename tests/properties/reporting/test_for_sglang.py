"""Pasted tests of real findings: each fails on the release that it was found on.

They are written in a process that runs the release, and run as a stranger would run them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.sglang.names import version_in
from radixproof.properties.histories import corpus

from ...own_process import completed, printed_by
from ...releases import ends

ALLOWED = ("--extend-ignore", "F841,PLR0915")
"""A file is as long as its history, and names the rows and states of its requests even where
nothing more is asked of them.
"""
SETTINGS = Path(__file__).parents[3] / "pyproject.toml"
ENTRIES = [entry for entry in corpus.read(corpus.FOLDER) if entry.system.startswith("sglang==")]
SYSTEMS = sorted({entry.system for entry in ENTRIES})
BEFORE_20 = ("12-post1", "13-post1", "14", "15-post1", "16", "17", "18", "19")
MENDED = {
    "0.5.13.post1": (
        "sglang-0-5-12-post1-content-full-host",
        "sglang-0-5-12-post1-nocrash-assertionerror-unifiedradixcache-evict-to-host",
        "sglang-0-5-12-post1-progress-never-backed-up",
        "sglang-0-5-12-post1-rank-diverged",
        "sglang-0-5-12-post1-recency-swa-list",
    ),
    "0.5.14": (
        "sglang-0-5-13-post1-nocrash-typeerror-fullcomponent-commit-hicache-transfer",
        "sglang-0-5-13-post1-pin-own-source-evicted",
        "sglang-0-5-13-post1-pin-mamba-host-evicted",
    ),
    "0.5.15.post1": (
        "sglang-0-5-12-post1-match-full-not-inserted",
        "sglang-0-5-12-post1-match-mamba-not-inserted",
        "sglang-0-5-12-post1-own-mamba-lost",
        "sglang-0-5-12-post1-pin-full-replaced",
        "sglang-0-5-13-post1-match-full-not-inserted",
        "sglang-0-5-13-post1-match-mamba-not-inserted",
        "sglang-0-5-13-post1-own-mamba-lost",
        "sglang-0-5-13-post1-pin-full-replaced",
        "sglang-0-5-14-match-full-not-inserted",
        "sglang-0-5-14-match-mamba-not-inserted",
        "sglang-0-5-14-own-mamba-lost",
        "sglang-0-5-14-pin-full-replaced",
    ),
    "0.5.17": (
        *(
            f"sglang-0-5-{release}-{signature}"
            for release in ("13-post1", "14", "15-post1", "16")
            for signature in (
                "backup-parent-missing",
                "progress-host-insert-outcome",
                "progress-unbacked-leaf-kept",
            )
        ),
        "sglang-0-5-13-post1-nocrash-endless-victims-take",
        "sglang-0-5-14-nocrash-endless-victims-take",
        "sglang-0-5-15-post1-nocrash-endless-victims-take",
        "sglang-0-5-16-nocrash-endless-victims-take",
    ),
    "0.5.19": ("sglang-0-5-18-nocrash-assertionerror-unifiedtreecore-commit-load-back",),
    "0.5.20": (
        "sglang-0-5-12-post1-recency-swa-list",
        *(f"sglang-0-5-{release}-recency-swa-list-of-half" for release in BEFORE_20[1:]),
        # Not that of 0.5.12.post1, where the leaf is another: leaves are cut to a window since.
        *(f"sglang-0-5-{release}-leaf-device-leaves" for release in BEFORE_20[1:]),
        *(f"sglang-0-5-{release}-lock-swa-too-few" for release in BEFORE_20[1:]),
    ),
    "0.5.23": (
        "sglang-0-5-12-post1-progress-never-backed-up",
        "sglang-0-5-12-post1-match-full-not-inserted",
        "sglang-0-5-12-post1-pin-full-replaced",
        "sglang-0-5-19-leaf-device-leaves",
        "sglang-0-5-19-lock-swa-too-few",
    ),
}
"""By release: findings of earlier ones, from the corpus, that it no longer has."""
UNWRITTEN = {
    # A tombstone goes too early, which no match returns.
    **{
        f"sglang-0-5-{release}-rust-recency-{order}-list-of-half": (
            "it shows in the nodes alone, and this core does not show its nodes"
        )
        for release, order in (("22", "swa"), ("22", "mamba"), ("23", "mamba"))
    },
    "sglang-0-5-22-rust-own-inserted-not-adopted": (
        "it shows in the nodes alone, and this core does not show its nodes"
    ),
    **{
        entry.name: "what routers are told is to be compared with the nodes, which no call shows"
        for entry in ENTRIES
        if entry.history.origin["signature"] in ("EVENT/stored-missing", "EVENT/removed-missing")
    },
    "sglang-0-5-12-post1-lock-swa-too-few-after-copy": (
        "a test of it was written, but fails with something else: "
        "AssertionError in MambaComponent.finalize_match_result"
    ),
    **{
        entry.name: "a forward pass that runs later is not written"
        for entry in ENTRIES
        if entry.history.origin["signature"].endswith("-before-computed")
    },
    **{
        entry.name: "no test sees what orders two copies, only what became of them"
        for entry in ENTRIES
        if entry.history.origin["signature"].startswith("RACE/")
    },
    # The match that wants a state raises: nothing is left to be asserted.
    **{
        f"sglang-0-5-{release}-progress-state-of-best-kept": (
            "a test of it was written, but fails with something else: "
            f"AssertionError in MambaComponent.finalize_match_result{where}"
        )
        for release, where in (
            ("16", ""),
            *((release, "_in_cache") for release in ("17", "18", "19", "20", "21", "22", "23")),
        )
    },
    **{
        f"sglang-0-5-{release}-rust-progress-state-of-best-kept": (
            "it shows in the nodes alone, and this core does not show its nodes"
        )
        for release in ("22", "23")
    },
}
"""Entries of which no test can be written, and why."""

WRITING = """
import json, sys
from pathlib import Path
from radixproof.impl.registry import find
from radixproof.properties.histories import corpus
from radixproof.properties.reporting import regression_test
from radixproof.properties.running.run import run_history
system, folder = sys.argv[1:]
none = {}
for entry in corpus.read(corpus.FOLDER):
    if entry.system == system:
        signature = entry.history.origin["signature"]
        verdict = run_history(find(system), entry.history, lambda other: other != signature)
        try:
            source = regression_test.source_of_test(system, entry.history, verdict.breach)
            Path(folder, f"test_{entry.name.replace('-', '_')}.py").write_text(source)
        except regression_test.NoStandaloneTest as reason:
            none[entry.name] = str(reason)
print(json.dumps(none))
"""


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.release
@pytest.mark.parametrize("system", ends(SYSTEMS))
def test_those_of_the_corpus_fail_on_their_release(system: str, tmp_path: Path) -> None:
    write_all(system, tmp_path)
    failed = failures(tmp_path, version_in(system))
    mine = {
        entry.name: entry.history.origin["signature"]
        for entry in ENTRIES
        if entry.system == system and entry.name not in UNWRITTEN
    }
    assert failed.keys() == mine.keys()
    assert {name: failed[name] for name in mine if not is_expected(failed[name], mine[name])} == {}
    check_style(tmp_path)


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.release
@pytest.mark.torture(all=len(MENDED), share=1)
def test_those_of_earlier_releases_pass_where_the_bug_is_mended(
    cases: range, tmp_path: Path
) -> None:
    for case in cases:
        later, names = list(MENDED.items())[case]
        earlier = {entry.system for entry in ENTRIES if entry.name in names}
        for system in sorted(earlier):
            write_all(system, tmp_path)
        files = [f"test_{name.replace('-', '_')}.py" for name in names]
        assert failures(tmp_path, prepared(later), *files) == dict.fromkeys(names, "")


def write_all(system: str, folder: Path) -> None:
    """Write the tests of all findings that the corpus has of a release."""
    prepared(version_in(system))
    none = json.loads(printed_by(WRITING, system, str(folder)))
    assert none == {name: why for name, why in UNWRITTEN.items() if name in none}


def prepared(release: str) -> str:
    if release not in store.prepared():
        pytest.skip(f"run 'radixproof systems add sglang=={release}'")
    return release


def is_expected(message: str, signature: str) -> bool:
    """An assertion failed; or it crashed as the signature says."""
    crash = signature.removeprefix("NOCRASH/").partition("@")[0]
    crashed = signature.startswith("NOCRASH/") and message.partition(":")[0] == crash
    return message.startswith("AssertionError: ") or crashed


def failures(folder: Path, release: str, *files: str) -> dict[str, str]:
    """By entry of the corpus: what its test failed with on a release; empty if it passed."""
    plugins = ["-p", "no:cacheprovider", "-p", "radixproof.impl.sglang.plugin", "--sglang", release]
    done = completed("pytest", *plugins, "--junit-xml=result.xml", *files, cwd=folder)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    cases = ElementTree.parse(folder / "result.xml").iter("testcase")
    return {
        case.get("classname", "").removeprefix("test_").replace("_", "-"): next(
            (child.get("message", "?") for child in case), ""
        )
        for case in cases
    }


def check_style(folder: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--diff"], ["check", "--output-format=concise", *ALLOWED]):
        done = subprocess.run(
            [*ruff, *command, "--no-cache", "--config", str(SETTINGS), str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
