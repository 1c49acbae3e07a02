"""How a rule that no test has seen broken is found out. `conftest` asks it of every whole run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from radixproof.model.verdict import Property

from .breach_sites import ROOT, Hit, Site, all_sites, names, problems, sites_in
from .releases import again

SOURCE = '''
def judge(seen):
    """Calls no `Breach(`."""
    if seen:
        yield Breach(Property.OWN, "lost", "text")
    yield verdict.Breach(
        Property.OWN,
        "twice",
        "text",
    )
'''
FIRST, SECOND = Site("file.py", 5), Site("file.py", 6)


def of_every_property(site: Site) -> list[Hit]:
    return [Hit(site, item.label, f"test_{item.name.lower()}_of_something") for item in Property]


def test_calls_are_found_where_they_begin() -> None:
    assert sorted(sites_in(SOURCE, "file.py")) == [FIRST, SECOND]


def test_the_library_has_many() -> None:
    """Lest the rest is about nothing."""
    sites = all_sites()
    assert len(sites) > 50
    assert {site.file.partition("/")[0] for site in sites} == {"model", "properties"}


def test_a_place_that_no_test_reaches_is_named() -> None:
    assert problems([FIRST, SECOND], of_every_property(FIRST)) == [
        "file.py:6: no test plants this violation"
    ]


def test_a_property_without_a_test_of_its_name_is_named() -> None:
    hits = [hit for hit in of_every_property(FIRST) if hit.label != "OWN-H"]
    assert problems([FIRST], [*hits, Hit(FIRST, "OWN-H", "test_other")]) == [
        "OWN-H: no test named test_own_h... sees it violated"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OWN-H/host-lost", True),
        ("host-lost", True),
        ("lost", True),
        ("OWN-H/host-", True),
        ("OWN-H/", False),
        ("OWN-H", False),
        ("OWN/host-lost", False),
        ("ost", False),
        ("", False),
    ],
)
def test_what_a_test_may_call_the_breach_that_it_expects(text: str, expected: bool) -> None:
    assert names(text, "OWN-H", "host-lost") is expected


PLANTED = """
from radixproof.model.verdict import Breach, Property

def test_own() -> None:
    assert Breach(Property.OWN, "lost", "").signature == "OWN/lost"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "workers", [pytest.param([], id="one process"), again(["-n", "1"], id="workers")]
)
def test_a_whole_run_fails_where_rules_were_not_seen_broken(
    tmp_path: Path, workers: list[str]
) -> None:
    """A copy of the machinery with a single test: nothing of the library is reached by that."""
    for name in ("model", "properties"):
        (tmp_path / "tests" / name).mkdir(parents=True)
    for name in ("conftest.py", "breach_sites.py", "stranger.py"):
        text = (ROOT / "tests" / name).read_text(encoding="utf-8")
        (tmp_path / "tests" / name).write_text(text, encoding="utf-8")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "rules.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "tests" / "properties" / "test_one.py").write_text(PLANTED, encoding="utf-8")
    pytest.importorskip("xdist") if workers else None
    options = ["-p", "no:cacheprovider", "--import-mode=importlib", *workers]

    def run(*chosen: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", *options, *chosen]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    whole = run("tests")
    assert whole.returncode == 1
    assert "model/rules.py:5: no test plants this violation" in whole.stdout
    assert "OWN-H: no test named test_own_h... sees it violated" in whole.stdout
    assert "OWN: no test" not in whole.stdout
    assert run("tests/properties").returncode == 0
