"""Which places that make a `Breach` are reached by a test, over all processes of one test run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .breach_sites import Hit, Recorder, all_sites, problems
from .stranger import build

TESTS = Path(__file__).resolve().parent
PLANTING = [TESTS / "model", TESTS / "properties"]
"""Where the tests are that plant violations. Only a run of all of them can say what is missing."""
SENT = "radixproof_breaches"


class SeenToBeBroken:
    """Fails a run of all tests that plant violations if some rule was not seen to be broken."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.recorder = Recorder()
        run = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
        self.partial = not all(any(map(folder.is_relative_to, run)) for folder in PLANTING)
        self.missing: list[str] = []

    def pytest_deselected(self) -> None:
        self.partial = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.partial |= report.failed

    def pytest_sessionstart(self) -> None:
        self.recorder.install()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self.recorder.begin()
        yield
        if any(map(item.path.is_relative_to, PLANTING)):
            self.recorder.passed(item)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker process is done: its hits count, too."""
        sent = getattr(node, "workeroutput", {}).get(SENT)
        if sent is None:
            self.partial = True
            return
        hits, partial = sent
        self.recorder.hits.update(map(Hit.of, hits))
        self.partial |= partial

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.recorder.uninstall()
        if hasattr(self.config, "workeroutput"):
            sent = [hit.plain() for hit in self.recorder.hits], self.partial
            self.config.workeroutput[SENT] = sent
        elif not self.partial and session.exitstatus == pytest.ExitCode.OK:
            self.missing = problems(all_sites(), self.recorder.hits)
            if self.missing:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
        """At the very end, below what was skipped: nothing else says why the run has failed."""
        yield
        if self.missing:
            terminalreporter.section("rules that no test has seen broken")
            for line in self.missing:
                terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SeenToBeBroken(config), "seen-to-be-broken")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of these sources, as somebody gets it who does not have them."""
    return build(tmp_path_factory.mktemp("wheel"))
