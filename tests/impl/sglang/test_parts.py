"""A cache has the core that was asked for, or is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from radixproof.impl.sglang import parts
from radixproof.impl.sglang.names import PYTHON, RUST
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
