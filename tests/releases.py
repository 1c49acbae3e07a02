"""Tests that are the same for every release: which `make test` runs, and which `make releases`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def each(releases: Sequence[str]) -> list[pytest.ParameterSet]:
    """Values for ``parametrize``: all but the first and the last are marked ``release``."""
    inner = range(1, len(releases) - 1)
    return [
        pytest.param(release, marks=[pytest.mark.release] if number in inner else [])
        for number, release in enumerate(releases)
    ]
