"""A finding as a line of JSON."""

from __future__ import annotations

import json

from radixproof.properties.results.json_lines import line

from .made_up import REPLAY, finding, result


def test_a_finding_is_one_line() -> None:
    text = line(result([finding()]), finding())
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert json.loads(text) == {
        "system": "sys",
        "signature": "PIN/full-replaced",
        "property": "PIN",
        "summary": "PIN/full-replaced: 2 operations\n    a slot was freed",
        "profile": "ci",
        "seed": 3,
        "at_step": 17,
        "operations": 2,
        "shrunk": True,
        "folder": "findings/sys/pin-3",
        "files": ["history.json", "report.txt"],
        "replay": REPLAY,
    }
