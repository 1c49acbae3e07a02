"""SGLang's released code as a `System`: one release after the other, each in its own process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.sglang.names import RUST as RUST_CORE
from radixproof.impl.sglang.names import core_in, version_in
from radixproof.impl.system import Unavailable

from ...own_process import completed
from ...releases import each
from .scenarios import SCENARIOS
from .scenarios.bench import RELEASES, RUST

HERE = Path(__file__).resolve().parent
HIDDEN_IN_RUST = {
    "copies_wait_to_be_told",
    "content_survives_demotion",
    "write_back_copies_at_eviction",
    "lists_and_leaves",
}
"""Scenarios that look at locks, lists or host slots."""


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.parametrize("version", each((*RUST, *RELEASES)))
def test_every_scenario_holds_on_a_release(version: str) -> None:
    """SGLang must print nothing of its own."""
    try:
        store.locate(version_in(version))
    except Unavailable as error:
        pytest.skip(str(error))
    result = completed("scenarios", version, cwd=HERE)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    raised = json.loads(result.stdout)
    assert set(raised) == set(SCENARIOS)
    hidden = HIDDEN_IN_RUST if core_in(version) == RUST_CORE else set()
    failed = {name: text for name, text in raised.items() if text is not None}
    told = "\n".join(f"{name}\n{text}" for name, text in failed.items())
    assert failed.keys() == hidden, told


def test_all_scenarios_are_found() -> None:
    assert len(SCENARIOS) == 88
