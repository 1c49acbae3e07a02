"""A check as JUnit XML: a test for each system, for each finding, and for what was passed over.

A finding fails its test; a system that was not searched enough is an error; a known finding that
was met is skipped, with the reason why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from radixproof.properties.results.result import SystemResult
from radixproof.properties.workers.searching import FindingReport

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, not even in an escaped form."""


def junit(results: Iterable[SystemResult]) -> str:
    """The whole file; it is well formed however far the check has come."""
    root = Element("testsuites", name="radixproof")
    for result in results:
        cases = list(_cases(result))
        suite = SubElement(
            root,
            "testsuite",
            name=_plain(result.system),
            tests=str(len(cases)),
            failures=str(_having("failure", cases)),
            errors=str(_having("error", cases)),
            skipped=str(_having("skipped", cases)),
            time=f"{result.seconds:.3f}",
        )
        suite.extend(cases)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _having(tag: str, cases: Iterable[Element]) -> int:
    return sum(case.find(tag) is not None for case in cases)


def _cases(result: SystemResult) -> Iterator[Element]:
    yield _of_system(result)
    for finding in result.findings:
        yield _of_finding(result, finding)
    for entry, count in result.met.items():
        case = _case(result, entry.signature, 0.0, {"signature": entry.signature})
        SubElement(case, "skipped", message=_plain(f"known, met {count:,} times: {entry.reason}"))
        yield case


def _of_system(result: SystemResult) -> Element:
    asked = {"system": result.system, "profile": result.profile, "seed": str(result.shard.seed)}
    case = _case(result, "searched enough", result.seconds, asked)
    if not result.enough:
        SubElement(case, "error", message=_plain(f"not searched enough: {result.lacking}"))
    return case


def _of_finding(result: SystemResult, finding: FindingReport) -> Element:
    asked = {
        "signature": finding.signature,
        "seed": str(result.shard.seed),
        "replay": finding.folder.replay,
    }
    case = _case(result, finding.signature, 0.0, asked)
    failure = SubElement(case, "failure", message=_plain(finding.summary))
    failure.set("type", _plain(finding.signature))
    failure.text = _plain(finding.folder.report)
    return case


def _case(result: SystemResult, name: str, seconds: float, properties: dict[str, str]) -> Element:
    case = Element(
        "testcase",
        classname=_plain(f"radixproof.{result.system}"),
        name=_plain(name),
        time=f"{seconds:.3f}",
    )
    listed = SubElement(case, "properties")
    for key, value in properties.items():
        SubElement(listed, "property", name=key, value=_plain(value))
    return case


def _plain(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
