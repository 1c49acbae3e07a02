"""SGLang's released code as a `System`: one release after the other, each in its own process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.system import Unavailable

from ...own_process import completed
from ...releases import each
from .scenarios import SCENARIOS
from .scenarios.bench import RELEASES

HERE = Path(__file__).resolve().parent


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.parametrize("version", each(RELEASES))
def test_every_scenario_holds_on_a_release(version: str) -> None:
    """SGLang must print nothing of its own."""
    try:
        store.locate(version)
    except Unavailable as error:
        pytest.skip(str(error))
    result = completed("scenarios", version, cwd=HERE)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    raised = json.loads(result.stdout)
    assert set(raised) == set(SCENARIOS)
    failed = [f"{name}\n{text}" for name, text in raised.items() if text is not None]
    assert not failed, "\n".join(failed)


def test_all_scenarios_are_found() -> None:
    assert len(SCENARIOS) == 29
