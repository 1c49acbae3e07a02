"""Findings for other programs: a line of JSON for each."""

from __future__ import annotations

import json
from typing import Any

from radixproof.properties.results.result import SystemResult
from radixproof.properties.workers.searching import FindingReport


def facts(result: SystemResult, finding: FindingReport) -> dict[str, Any]:
    """What there is to say of a finding, as plain values."""
    return {
        "system": result.system,
        "signature": finding.signature,
        "property": finding.signature.partition("/")[0],
        "summary": finding.summary,
        "profile": result.profile,
        "seed": result.shard.seed,
        "at_step": finding.at_step,
        "operations": finding.operations,
        "shrunk": finding.shrunk,
        "folder": finding.folder.path,
        "files": finding.folder.written,
        "replay": finding.folder.replay,
    }


def line(result: SystemResult, finding: FindingReport) -> str:
    """A finding in one line, with its end."""
    return json.dumps(facts(result, finding), ensure_ascii=False) + "\n"
