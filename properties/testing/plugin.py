"""The pytest plugin: a whole check in one line of test.

    def test_my_cache(radix_check):
        radix_check()

It checks the systems that ``--radix-system`` names, or else the marker ``radix``, each in a test of
its own; ``radix_check(target)`` checks one that the test has made. It fails with the reports of
all findings. What the test says itself goes before the command line, and that before the marker.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from radixproof.properties.search.budget import PROFILES
from radixproof.properties.testing.asked import Asked, CommandLine

if TYPE_CHECKING:
    from radixproof.impl.system import Target
    from radixproof.properties.results.result import SystemResult

MARKER = (
    "radix(*systems, profile=None, seed=None, seconds=None, known=None): "
    "what the fixture radix_check checks, unless the command line says otherwise"
)
SAID = "radixproof.summary"
"""The property of a test that has its line of the summary."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("radixproof", "checks of KV caches by radixproof")
    group.addoption(
        "--radix-system",
        action="append",
        metavar="SYSTEM",
        help="what radix_check checks: a name, or MODULE:ATTRIBUTE; may be given several times",
    )
    group.addoption(
        "--radix-profile", choices=list(PROFILES), help="how long to search (default: dev)"
    )
    group.addoption("--radix-seed", type=int, metavar="N", help="of the search (default: 1)")
    group.addoption(
        "--radix-seconds", type=float, metavar="N", help="give a check up after so many seconds"
    )
    group.addoption(
        "--radix-known",
        action="append",
        metavar="FILE",
        help="pass over the findings in this file, or in our own list ('builtin')",
    )
    group.addoption(
        "--radix-out", type=Path, metavar="FOLDER", help="where findings go (default: findings)"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    CommandLine.asked = Asked().but(_options(config))
    config.pluginmanager.register(Summary(), "radixproof-summary")


def pytest_unconfigure() -> None:
    CommandLine.asked = Asked()


def _options(config: pytest.Config) -> dict[str, Any]:
    known = config.getoption("radix_known")
    return {
        "profile": config.getoption("radix_profile"),
        "seed": config.getoption("radix_seed"),
        "seconds": config.getoption("radix_seconds"),
        "known": None if known is None else tuple(known),
        "out": config.getoption("radix_out"),
    }


def pytest_report_header(config: pytest.Config) -> str | None:
    systems = config.getoption("radix_system")
    if not systems and not any(_options(config).values()):
        return None
    asked = CommandLine.asked
    named = f"{', '.join(systems)}; " if systems else ""
    return f"radixproof: {named}profile {asked.profile}, seed {asked.seed}"


# -- whole checks ----------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each system, where systems are named."""
    if "radix_system" not in metafunc.fixturenames:
        return
    systems = _systems(metafunc.definition)
    if systems:
        metafunc.parametrize("radix_system", systems, indirect=True)


def _systems(node: pytest.Item) -> list[str]:
    """Those that the command line names, or the closest marker that names some."""
    marked = (marker.args for marker in node.iter_markers("radix") if marker.args)
    return list(dict.fromkeys(node.config.getoption("radix_system") or next(marked, ())))


def _marked(node: pytest.Item) -> dict[str, Any]:
    """What markers ask for: of two that ask for one thing, the closest counts."""
    return dict(ChainMap(*(dict(marker.kwargs) for marker in node.iter_markers("radix"))))


@pytest.fixture
def radix_system(request: pytest.FixtureRequest) -> str:
    """The name of the system that a test is about; ``radix`` if none is named."""
    systems = [request.param] if hasattr(request, "param") else _systems(request.node)
    if len(systems) > 1:
        pytest.fail(
            f"of {', '.join(systems)} a test is about one at a time: it has to take radix_check, or"
            " radix_system, as an argument",
            pytrace=False,
        )
    return str(systems[0]) if systems else "radix"


@pytest.fixture
def radix_check(request: pytest.FixtureRequest, radix_system: str) -> Callable[..., SystemResult]:
    """``radix_check(target=None, *, profile, seed, seconds, known)``: a whole check.

    Fails the test if anything is found that is not known, or if not enough was searched to say
    that nothing is wrong. Returns the result otherwise.
    """
    options = Asked().but(_marked(request.node)).but(_options(request.config))

    def check(target: Target | str | None = None, **asked: Any) -> SystemResult:
        from radixproof.properties.results.conclusion import conclusion
        from radixproof.properties.testing import checks

        try:
            result = checks.result_of(
                radix_system if target is None else target, options.but(asked)
            )
        except checks.CannotCheck as error:
            pytest.fail(str(error), pytrace=False)
        line = next(conclusion(result))
        request.node.user_properties += [*checks.properties_of(result), (SAID, line)]
        said = checks.explained(result)
        if said:
            pytest.fail(said, pytrace=False)
        return result

    return check


# -- what a run says -------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A state machine that found something shows the report alone, without a traceback."""
    from radixproof.properties.testing.found import Found

    report = yield
    found = None if call.excinfo is None else call.excinfo.value
    if isinstance(found, Found):
        report.longrepr = "\n".join([str(found), *getattr(found, "__notes__", ())])
        said = [*found.properties, (SAID, found.line)]
        item.user_properties += said
        report.user_properties += said
    return report


class Summary:
    """A line for every check, at the end of the run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.lines += [str(value) for name, value in report.user_properties if name == SAID]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.lines:
            terminalreporter.section("radixproof")
            for line in self.lines:
                terminalreporter.write_line(line)
