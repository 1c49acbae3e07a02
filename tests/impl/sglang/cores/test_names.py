"""Names of releases and their cores."""

from __future__ import annotations

from radixproof.impl.sglang.cores.names import (
    PYTHON,
    RUST,
    core_in,
    is_release,
    named,
    version_in,
)


def test_a_name_says_the_version_and_the_core() -> None:
    assert named("0.5.23", PYTHON) == "sglang==0.5.23"
    assert named("0.5.23", RUST) == "sglang==0.5.23+rust"
    for core in (PYTHON, RUST):
        name = named("0.5.23", core)
        assert (version_in(name), core_in(name), is_release(name)) == ("0.5.23", core, True)
    assert not is_release("sglang")
