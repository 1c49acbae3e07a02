"""What a failing state machine raises: a report for a person, and facts for other programs."""

from __future__ import annotations

from radixproof.properties.reporting.wording import plural
from radixproof.properties.search.finding import Finding


class Found(AssertionError):
    """A test found something; the text is a report."""

    def __init__(self, system: str, finding: Finding, report: str, replay: str) -> None:
        super().__init__(report)
        self.finding = finding
        length = plural(len(finding.history.operations), "operation")
        self.line = f"{system}: {finding.signature}: {length}, found by the state machine"
        self.properties: list[tuple[str, object]] = [
            ("radixproof.system", system),
            ("radixproof.signature", finding.signature),
            ("radixproof.replay", replay),
        ]
