"""A cache has the core that was asked for, or is none."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, cast

import pytest

from radixproof.impl.sglang import parts
from radixproof.impl.sglang.names import CHOICE, PYTHON, RUST
from radixproof.impl.system import Unavailable


class RustUnifiedTreeCore:
    pass


@pytest.mark.parametrize(
    ("tree", "asked", "built"),
    [
        (SimpleNamespace(), RUST, PYTHON),
        (SimpleNamespace(tree_core=SimpleNamespace()), RUST, PYTHON),
        (SimpleNamespace(tree_core=RustUnifiedTreeCore()), PYTHON, RUST),
    ],
)
def test_another_core_than_that_asked_for_is_an_error(tree: Any, asked: str, built: str) -> None:
    sglang = cast(Any, SimpleNamespace(version="0.5.23"))
    with pytest.raises(Unavailable) as raised:
        parts.core_of(tree, sglang, asked)
    says = f"SGLang 0.5.23 was asked for its {asked} core, and built the {built} one"
    assert str(raised.value) == says


@pytest.mark.parametrize("before", [None, PYTHON])
def test_a_core_is_asked_for_while_a_cache_is_built(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CHOICE, raising=False)
    if before is not None:
        monkeypatch.setenv(CHOICE, before)
    with parts.chosen(RUST):
        assert os.environ[CHOICE] == RUST
    assert os.environ.get(CHOICE) == before
