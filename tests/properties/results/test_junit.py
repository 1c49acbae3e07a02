"""JUnit XML as those read it who have never heard of radixproof."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

from radixproof.properties.results.junit import junit
from radixproof.properties.results.result import Ending, SystemResult

from .made_up import KNOWN, REPLAY, finding, progress, result


def suites(*results: SystemResult) -> list[ElementTree.Element]:
    text = junit(results)
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n')
    return list(ElementTree.fromstring(text.encode()))


def counts(suite: ElementTree.Element) -> list[str]:
    return [suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")]


def properties(case: ElementTree.Element) -> dict[str, str]:
    return {one.attrib["name"]: one.attrib["value"] for one in case.iterfind(".//property")}


def test_a_finding_is_a_failure_with_what_it_takes_to_see_it_again() -> None:
    (suite,) = suites(result([finding()]))
    assert suite.attrib["name"] == "sys"
    assert counts(suite) == ["2", "1", "0", "0"]
    case = suite[1]
    assert case.attrib["classname"] == "radixproof.sys"
    assert case.attrib["name"] == "PIN/full-replaced"
    assert properties(case) == {
        "signature": "PIN/full-replaced",
        "seed": "3",
        "replay": REPLAY,
    }
    failure = case.find("failure")
    assert failure is not None
    assert "a slot was freed" in failure.attrib["message"]
    assert failure.text == finding().folder.report


def test_a_clean_system_is_a_test_that_passes() -> None:
    (suite,) = suites(result())
    assert counts(suite) == ["1", "0", "0", "0"]
    assert properties(suite[0]) == {"system": "sys", "profile": "ci", "seed": "3"}


def test_a_search_that_saw_too_little_is_an_error() -> None:
    (suite,) = suites(result(now=progress(complete=False), ending=Ending.TIME))
    assert counts(suite) == ["1", "0", "1", "0"]
    error = suite[0].find("error")
    assert error is not None
    assert "not searched enough: the time was up" in error.attrib["message"]


def test_what_is_known_and_was_met_is_skipped_with_its_reason() -> None:
    now = progress(passed_over=Counter({KNOWN.signature: 5}))
    (suite,) = suites(result(now=now, known=[KNOWN]))
    assert counts(suite) == ["2", "0", "0", "1"]
    skipped = suite[1].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "known, met 5 times: it takes too many"


def test_before_anything_has_ended_it_is_a_file_already() -> None:
    of = result(ending=Ending.RUNNING)
    of.progress = None
    assert counts(suites(of, result())[0]) == ["1", "0", "1", "0"]
    assert suites() == []


def test_characters_that_xml_has_not_are_replaced() -> None:
    odd = finding(report='a\x00b\x1b[1m\ud800\uffff <&>"]]>\U0001f600', summary="x\x08y\nz")
    odd = replace(odd, signature="NOCRASH/\x01Error")
    failure = suites(result([odd], system="s\x01"))[0].find(".//failure")
    assert failure is not None
    assert failure.attrib["type"] == "NOCRASH/\ufffdError"
    assert failure.text == 'a\ufffdb\ufffd[1m\ufffd\ufffd <&>"]]>\U0001f600'
    assert failure.attrib["message"] == "x\ufffdy\nz"
