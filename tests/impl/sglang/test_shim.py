"""A release that was changed since it was fetched is not run: what goes wrong would be blamed on
SGLang.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from radixproof.impl.sglang import store

from ...own_process import printed_by

VERSION = "0.5.12.post1"
TREE = Path("sglang", "srt", "mem_cache", "unified_radix_cache.py")
INSTALLED = """
import sys
from pathlib import Path
sys.path.append(sys.argv[1])
from radixproof.impl.registry import find
from radixproof.model.config import Config
find("sglang").build(Config())
module = sys.modules["sglang.srt.mem_cache.unified_radix_cache"]
print(Path(module.__file__).is_relative_to(sys.argv[1]))
"""
BUILDING = """
import sys
from radixproof.impl.registry import find
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config
try:
    find(sys.argv[1]).build(Config())
except Unavailable as error:
    print(error)
"""


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a release of its own; its files are those of the real store, under new names."""
    if VERSION not in store.prepared():
        pytest.skip(f"SGLang {VERSION} is not prepared")
    release = store.locate(VERSION).folder
    assert release is not None
    monkeypatch.setenv("RADIXPROOF_HOME", str(tmp_path))
    folder = tmp_path / "systems" / release.name
    shutil.copytree(release, folder, copy_function=_linked)
    return folder


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy(source, target)


def said_by_building() -> str:
    return printed_by(BUILDING, f"sglang=={VERSION}")


@pytest.mark.slow
@pytest.mark.sglang
def test_a_release_that_was_changed_is_not_run(copied: Path) -> None:
    assert said_by_building() == ""
    source = (copied / TREE).read_bytes()
    for changed in (
        source.replace(b"return", b"rEturn"),  # it can no longer be imported
        source.replace(b"write_back", b"write_bark"),  # it can, but is not what was released
    ):
        (copied / TREE).unlink()
        (copied / TREE).write_bytes(changed)
        assert store.damaged() == {}, "its length is the same"
        said = said_by_building()
        assert f"is damaged: the content of {TREE} is not what was released" in said
        assert f"run 'radixproof systems add sglang=={VERSION}'" in said


@pytest.mark.slow
@pytest.mark.sglang
def test_what_is_installed_is_run_without_a_gpu(copied: Path, tmp_path: Path) -> None:
    """Its kernels cannot be imported then; here they are not even there."""
    installed = tmp_path / "site-packages"
    copied.rename(installed)
    assert printed_by(INSTALLED, str(installed)) == "True\n"
