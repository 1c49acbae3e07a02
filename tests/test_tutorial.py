"""The tutorial does what it says: from a wheel, in an empty folder, without torch."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .stranger import ROOT, TUTORIAL, blocks, code, follow, missing

EXAMPLE = sorted((ROOT / "examples" / "own_cache").glob("*.py"))
TEXT = TUTORIAL.read_text(encoding="utf-8")


def test_the_code_on_the_page_is_the_code_of_the_example() -> None:
    sources = [path.read_text(encoding="utf-8") for path in EXAMPLE]
    assert len(code(TEXT)) == 3
    for shown in code(TEXT):
        assert any(shown in source for source in sources), shown


def test_the_adapter_is_short() -> None:
    (adapter,) = (path for path in EXAMPLE if path.stem == "toy_adapter")
    assert len(adapter.read_text(encoding="utf-8").splitlines()) < 60


def test_the_cache_knows_nothing_of_radixproof() -> None:
    (cache,) = (path for path in EXAMPLE if path.stem == "toy_cache")
    assert "import radixproof" not in cache.read_text(encoding="utf-8")


@pytest.mark.gate
@pytest.mark.slow
def test_the_wheel_has_the_corpus_and_the_example(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("corpus", "examples/own_cache"):
        files = {path for path in (ROOT / folder).iterdir() if path.is_file()}
        assert len(files) > 3
        assert {f"radixproof/{folder}/{path.name}" for path in files} <= names


@pytest.mark.gate
@pytest.mark.slow
def test_the_tutorial_can_be_followed_word_for_word(wheel: Path, tmp_path: Path) -> None:
    python = Path(sys.executable).resolve()
    printed = follow(TEXT, python, wheel, tmp_path)
    assert len(printed) == len(blocks(TEXT)) > 8
    for block, output in zip(blocks(TEXT), printed, strict=True):
        line = missing(block.printed, output)
        assert line is None, f"{block.commands}does not print {line!r}:\n{output}"
    installed = [str(tmp_path / "empty" / "env" / "bin" / "python"), "-I", "-c"]
    assert subprocess.run([*installed, "import torch"], capture_output=True, check=False).returncode
    assert not subprocess.run([*installed, CORPUS], check=False).returncode


CORPUS = """
from radixproof.properties.histories import corpus
assert "site-packages" in str(corpus.FOLDER)
assert len(corpus.read(corpus.FOLDER)) > 200
"""


def test_what_is_missing_is_found() -> None:
    assert missing("one ... three\n...\nfive", "zero\none two three\nfour\nfive\n") is None
    assert missing("one\ntwo\n", "two\none\n") == "two"
    assert missing("(4.1 s)", "(4x1 s)") == "(4.1 s)"
