"""Names of releases and their cores."""

from __future__ import annotations

from pathlib import Path

from radixproof.impl.sglang.names import (
    BOTH,
    PYTHON,
    RUST,
    core_in,
    is_release,
    is_sglang,
    named,
    named_tree,
    tree_in,
    version_in,
)


def test_a_name_says_the_version_and_the_core() -> None:
    assert named("0.5.23", PYTHON) == "sglang==0.5.23"
    assert named("0.5.23", RUST) == "sglang==0.5.23+rust"
    assert named("0.5.23", BOTH) == "sglang==0.5.23+both"
    for core in (PYTHON, RUST, BOTH):
        name = named("0.5.23", core)
        assert (version_in(name), core_in(name), is_release(name)) == ("0.5.23", core, True)
    assert not is_release("sglang")


def test_a_name_says_the_folder_of_a_source_tree() -> None:
    folder = Path("/some where/python")
    for core in (PYTHON, RUST, BOTH):
        name = named_tree(folder, core)
        assert (tree_in(name), core_in(name)) == (folder, core)
        assert is_sglang(name)
        assert not is_release(name)
    assert tree_in("sglang==0.5.23") is None
    assert is_sglang("sglang+rust")
    assert not is_sglang("radix")
