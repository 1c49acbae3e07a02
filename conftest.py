"""Fixtures and settings of every test run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "deterministic",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("deterministic")
# A shell lets what it starts in the background ignore Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "tests that are long by nature (marked torture) try all that they can, not a fixed share"
    parser.addoption("--torture", action="store_true", help=text)
    text = "tests marked gate, too: the workflow for CI and the tutorial, as users run them"
    parser.addoption("--gate", action="store_true", help=text)
    text = "tests marked release, too: of releases that are not the newest, and what repeats others"
    parser.addoption("--releases", action="store_true", help=text)
    text = "tests marked cluster, too: they start a cluster of Ray here"
    parser.addoption("--cluster", action="store_true", help=text)
    text = "tests/test_pythons.py, too: the core on every supported Python that is found"
    parser.addoption("--pythons", action="store_true", help=text)


TARGETS = {"gate": "gate", "release": "releases", "long": "torture", "cluster": "cluster"}
"""By marker: the target of `make` that runs these tests, and the option that asks for them."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What takes minutes for each Python is asked for by name."""
    asked = config.getoption("--pythons")
    return True if collection_path.name == "test_pythons.py" and not asked else None


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> range:
    """What a test marked ``torture(all=5000, share=50)`` tries: numbers from 0 on.

    The first ``share`` of them in every run, and all of them with ``--torture``: the same numbers
    each time, so that a failure comes again.
    """
    marker = request.node.get_closest_marker("torture")
    assert marker is not None, "the fixture `cases` is for tests marked torture(all=..., share=...)"
    return range(marker.kwargs["all" if request.config.getoption("--torture") else "share"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked ``gpu`` are skipped where there is no GPU, those that have a target of their own
    unless asked for.
    """
    for marker, target in TARGETS.items():
        if not config.getoption(f"--{target}"):
            _skip(_marked(items, marker), f"takes minutes: make {target}")
    on_gpu = _marked(items, "gpu")
    if on_gpu and not _cuda():
        _skip(on_gpu, "needs a CUDA device and a CUDA build of torch")


def _marked(items: list[pytest.Item], marker: str) -> list[pytest.Item]:
    return [item for item in items if item.get_closest_marker(marker)]


def _skip(items: list[pytest.Item], reason: str) -> None:
    for item in items:
        item.add_marker(pytest.mark.skip(reason=reason))


def _cuda() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()
