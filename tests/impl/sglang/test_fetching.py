"""Fetching: what pip says when it fails, and wheels that are not what they should be.

pip is a fake here.
"""

from __future__ import annotations

import importlib.util
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.system import Unavailable

from .fake_pip import CONTENT, RECORD, TREE, Pip, deliver, fail, nothing_in, record


def test_add_refuses_a_wheel_that_lacks_what_it_lists(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        result = deliver(TREE)(command)
        (wheel,) = Path(
            next(word.removeprefix("--dest=") for word in command if word.startswith("--dest="))
        ).glob("*.whl")
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(TREE, CONTENT)
            archive.writestr(RECORD, record(TREE, "sglang/other.py"))
        return result

    use_pip(pip)
    with pytest.raises(Unavailable, match=r"is damaged: sglang/other\.py is missing"):
        store.add("0.5.13.post1", lambda _: None)
    assert nothing_in(home)


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (
            "ERROR: Could not find a version that satisfies sglang==9.9 "
            "(from versions: 0.5.1, 0.5.2, 0.5.3, 0.5.4)",
            "0.5.2, 0.5.3, 0.5.4",
        ),
        (
            "WARNING: Retrying after NewConnectionError\n"
            "ERROR: No matching version (from versions: none)",
            "cannot reach a package index",
        ),
        (
            "ERROR: Could not find a version that satisfies sglang==9.9 (from versions: none)",
            "check pip's index settings",
        ),
        ("ERROR: something odd\n", "could not fetch SGLang 9.9: something odd"),
        ("", "could not fetch SGLang 9.9: it said nothing"),
    ],
)
def test_add_says_in_one_sentence_why_pip_failed(
    home: Path, use_pip: Callable[[Pip], list[list[str]]], stderr: str, words: str
) -> None:
    use_pip(fail(stderr))
    with pytest.raises(Unavailable) as caught:
        store.add("9.9", lambda _: None)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert nothing_in(home)


@pytest.mark.parametrize("members", [("sglang/__init__.py",), ()])
def test_add_refuses_a_wheel_without_the_tree(
    home: Path, use_pip: Callable[[Pip], list[list[str]]], members: tuple[str, ...]
) -> None:
    use_pip(deliver(*members))
    with pytest.raises(Unavailable, match="too old, or too new"):
        store.add("0.5.13.post1", lambda _: None)
    assert nothing_in(home)


def test_add_refuses_what_is_no_wheel(
    home: Path, use_pip: Callable[[Pip], list[list[str]]]
) -> None:
    def pip(command: list[str]) -> subprocess.CompletedProcess[str]:
        folder = next(
            word.removeprefix("--dest=") for word in command if word.startswith("--dest=")
        )
        Path(folder, "sglang-0.5.13.post1-py3-none-any.whl").write_text("half a download")
        return subprocess.CompletedProcess(command, 0, "", "")

    use_pip(pip)
    with pytest.raises(Unavailable, match="not a readable wheel"):
        store.add("0.5.13.post1", lambda _: None)
    assert nothing_in(home)


def test_add_needs_pip(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "pip" else find(name, *rest),
    )
    with pytest.raises(Unavailable, match="needs pip"):
        store.add("0.5.13.post1", lambda _: None)
    assert not home.exists()
