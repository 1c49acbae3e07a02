"""Run all scenarios on one release, in this process."""

from __future__ import annotations

import json
import sys
import traceback

from radixproof.impl.sglang.adapter import target
from radixproof.impl.sglang.names import core_in, version_in

from . import SCENARIOS


def run_all(version: str) -> dict[str, str | None]:
    """What each scenario raised on a release."""
    release = target(version_in(version), core_in(version))
    raised: dict[str, str | None] = {}
    for name, scenario in SCENARIOS.items():
        try:
            scenario(release)
            raised[name] = None
        except Exception:
            raised[name] = traceback.format_exc()
    return raised


print(json.dumps(run_all(sys.argv[1])))
