"""``radixproof faults``: every planted bug, with where it comes from."""

from __future__ import annotations

import pytest

from radixproof.impl.faults import FAULTS
from radixproof.properties.cli.exit_codes import CLEAN
from radixproof.properties.cli.main import main

OTHER = "split-parent-not-backed-up"


def test_planted_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == CLEAN
    printed = capsys.readouterr().out
    fault = FAULTS[OTHER]
    for part in (
        fault.name,
        fault.record,
        fault.sentence,
        f"expected: {fault.sees.label}",
        f"{len(FAULTS)} planted faults",
    ):
        assert part in printed
