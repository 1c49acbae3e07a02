"""Somebody's own SGLang, as a folder of sources: as it is, with a method renamed, with a bug."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from radixproof.impl.sglang import store
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.known.files import BUILTIN, load_known

from .scenarios.bench import RELEASES

TREE = "unified_radix_cache.py"
CORE = "unified_cache/unified_tree_core.py"
HIT = "        node.hit_count += 1\n"
KNOWN = set(load_known(BUILTIN).for_system("sglang==0.5.23", date.max))
"""What is known of that release."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The newest release as a checkout that nobody has built: no version, nothing installed."""
    version = RELEASES[-1]
    if version not in store.prepared():
        pytest.skip(f"run 'radixproof systems add sglang=={version}'")
    folder = store.locate(version).folder
    assert folder is not None
    shutil.copytree(folder, tmp_path / "checkout" / "python", copy_function=os.symlink)
    (tmp_path / "checkout" / "python" / "sglang" / "_version.py").unlink()
    return tmp_path / "checkout"


def patch(checkout: Path, file: str, before: str, after: str) -> None:
    path = checkout / "python" / "sglang" / "srt" / "mem_cache" / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.unlink()
    path.write_text(text.replace(before, after), encoding="utf-8")


def check(checkout: Path, *options: str) -> tuple[int, set[str], str]:
    """Exit code, signatures of what was found, and all that was said."""
    ran = subprocess.run(
        [sys.executable, "-m", "radixproof", "check", "--path", str(checkout), *options],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    folders = (checkout / "findings").glob("*/*/history.json")
    found = {from_json(file.read_text()).origin["signature"] for file in folders}
    return ran.returncode, found, ran.stdout + ran.stderr


@pytest.mark.release
@pytest.mark.sglang
def test_a_checkout_is_searched_by_the_newest_rules_and_a_bug_in_it_found(checkout: Path) -> None:
    code, known, said = check(checkout)
    assert f"sglang@{checkout}: " in said
    assert code == FOUND
    assert "RECENCY/access-time-of-half" in known
    assert known <= KNOWN
    patch(checkout, CORE, HIT, "        pass\n")
    code, found, said = check(checkout)
    assert code == FOUND
    assert "PROGRESS/never-backed-up" in found - known


@pytest.mark.release
@pytest.mark.sglang
def test_what_is_known_of_its_release_is_new_in_a_checkout_where_that_does_nothing_alike(
    checkout: Path, tmp_path: Path
) -> None:
    known = tmp_path / "known.toml"
    known.write_text(
        '[[finding]]\nsignature = "PROGRESS/never-backed-up"\nreason = "of all releases, say"\n'
    )
    options = ("--known", BUILTIN, "--known", str(known))
    code, found, said = check(checkout, *options)
    assert (code, found) == (CLEAN, set())
    assert re.search(r"compared with sglang==0\.5\.23: (\d+) of \1 histories", said)
    patch(checkout, CORE, HIT, "        pass\n")
    code, found, said = check(checkout, *options)
    assert code == FOUND
    assert "PROGRESS/never-backed-up" in found
    assert "PROGRESS/never-backed-up is known of sglang==0.5.23, which in this history" in said


@pytest.mark.release
@pytest.mark.sglang
def test_what_a_checkout_lacks_is_named(checkout: Path) -> None:
    patch(checkout, TREE, "    def evict_host(", "    def evict_from_host(")
    assert check(checkout) == (
        CANNOT_RUN,
        set(),
        "radixproof: SGLang of unknown version cannot be imported here: AttributeError: "
        "its UnifiedRadixCache has no evict_host, which radixproof calls\n",
    )
