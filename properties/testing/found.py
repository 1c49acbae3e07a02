"""What a failing state machine raises: a report for a person, and facts for other programs."""

from __future__ import annotations

from radixproof.properties.search.finding import Finding


class Found(AssertionError):
    """A test found something; the text is a report."""

    def __init__(self, finding: Finding, report: str) -> None:
        super().__init__(report)
        self.finding = finding
