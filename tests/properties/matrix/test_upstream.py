"""The catalogue of known bugs: well formed, and in agreement with the list of known findings."""

from __future__ import annotations

import re
from datetime import date

import msgspec
import pytest

from radixproof.impl.faults import FAULTS
from radixproof.impl.sglang.names import PYTHON, named
from radixproof.impl.sglang.releases import DRIVEN
from radixproof.properties.known.files import BUILTIN, load_known
from radixproof.properties.matrix.upstream import catalogue, in_system, is_found, with_bugs
from radixproof.properties.matrix.wording import found_in, missed, of_bugs, short

from .made_up import TABLE, bad, not_here, rows

BUGS = {bug.id: bug for bug in catalogue()}


def ids(system: str) -> set[str]:
    return {bug.id for bug in in_system(system)}


def test_every_bug_has_a_name_and_numbers_of_its_own() -> None:
    assert len(BUGS) == len(catalogue()) > 40
    numbers = [number for bug in catalogue() for number in bug.numbers]
    assert len(numbers) == len(set(numbers))
    records = {record for fault in FAULTS.values() for record in re.findall(r"B\d\d", fault.record)}
    of_bugs = {bug.partition("-")[0] for bug in BUGS}
    assert {one for one in of_bugs if one.startswith("B")} <= records


@pytest.mark.parametrize("bug", catalogue(), ids=lambda bug: bug.id)
def test_every_bug_is_contained_in_some_release(bug: object) -> None:
    releases = ("0.5.12", *DRIVEN)
    assert any(bug in in_system(named(version, PYTHON)) for version in releases)


def test_a_release_contains_what_was_not_mended_before_it() -> None:
    assert "B10" in ids("sglang==0.5.12")
    assert not {"B10", "B04"} & ids("sglang==0.5.12.post1")
    assert {"B01", "B27"} <= ids("sglang==0.5.12.post1")
    assert "B01" not in ids("sglang==0.5.13.post1")
    assert "B04" in ids("sglang==0.5.13.post1")
    assert ids("sglang==0.5.23") == ids("sglang==0.5.23+rust") >= {"B27-full", "B72"}
    assert not ids("radix")
    assert not ids("sglang@/no/such/folder+rust")


def test_the_list_of_known_findings_names_bugs_of_the_catalogue_where_they_are() -> None:
    """By the number: a finding that is known under one is a bug that its releases contain."""
    by_number = {f"#{number}": bug for bug in catalogue() for number in bug.numbers}
    known, today = load_known(BUILTIN), date(2026, 11, 1)
    seen = set()
    for version in DRIVEN:
        system = named(version, PYTHON)
        for entries in known.for_system(system, today).values():
            for entry in filter(lambda one: one.upstream, entries):
                bug = by_number.get(short(entry.upstream))
                assert bug is not None, f"{entry.signature}: {entry.upstream} is not in it"
                assert bug in in_system(system), f"{bug.id} is not in {version}: {entry.signature}"
                seen.add(bug.id)
    assert {"B01", "B27", "B27-full"} <= seen


def test_what_is_not_known_as_a_finding_has_a_reason_and_what_is_has_none() -> None:
    known, systems = load_known(BUILTIN), [named(version, PYTHON) for version in DRIVEN]
    entries = [
        entry
        for system in systems
        for some in known.for_system(system, date(2026, 11, 1)).values()
        for entry in some
    ]
    numbers = {short(entry.upstream) for entry in entries if entry.upstream}
    signatures = {entry.signature for entry in entries}
    for bug in {bug for system in systems for bug in in_system(system)}:
        found = numbers.intersection(f"#{number}" for number in bug.numbers)
        assert bool(found or signatures.intersection(bug.signatures)) != bool(bug.why), bug.id


def test_a_bug_is_found_by_its_number() -> None:
    (row,) = rows(bad())
    assert row.found == ("B01",)
    assert is_found(BUGS["B01"], row.findings)
    unknown = [msgspec.structs.replace(one, known=False) for one in row.findings]
    assert not is_found(BUGS["B01"], unknown)
    by_name = msgspec.structs.replace(BUGS["B02"], signatures=("OWN/lost",))
    assert is_found(by_name, row.findings)
    assert not is_found(BUGS["B02"], row.findings)


def test_what_is_contained_and_not_found_is_missed() -> None:
    (row,) = rows(bad())
    assert set(row.contains) == ids(row.system)
    assert set(missed(row)) == ids(row.system) - {"B01"}
    assert with_bugs(row) == row


def test_what_was_not_searched_counts_neither_as_found_nor_as_not_found() -> None:
    assert rows(not_here())[0].found == ()
    assert found_in(TABLE, BUGS["B01"]) == (["0.5.12.post1"], [])
    assert found_in(TABLE, BUGS["B08"]) == ([], ["0.5.12.post1"]), "0.5.13.post1 was not run"
    assert of_bugs(TABLE).startswith("1 of ")
