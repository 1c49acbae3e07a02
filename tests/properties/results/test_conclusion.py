"""The last lines on a system."""

from __future__ import annotations

import pytest

from radixproof.properties.results.conclusion import conclusion
from radixproof.properties.workers.comparing import Compared

from .made_up import result

NEWEST = "sglang==0.5.23"


@pytest.mark.parametrize(
    ("compared", "lines"),
    [
        (None, []),
        (Compared(9, 9), ["  compared with sglang==0.5.23: 9 of 9 histories"]),
        (
            Compared(0, 1, "it is damaged"),
            [
                "  warning: not compared with sglang==0.5.23: it is damaged",
                "  compared with sglang==0.5.23: 0 of 1 history",
            ],
        ),
        (
            Compared(2, 2, likewise=("LOCK/full-lost",)),
            [
                "  compared with sglang==0.5.23: 2 of 2 histories",
                "    done there too, from the same state: LOCK/full-lost",
            ],
        ),
    ],
)
def test_how_far_it_was_compared_is_said(compared: Compared | None, lines: list[str]) -> None:
    said = list(conclusion(result(compared=compared, reference=NEWEST)))
    told = [line for line in said if "compared with sglang==" in line and "what" not in line]
    assert told + [line for line in said if "done there too" in line] == lines
