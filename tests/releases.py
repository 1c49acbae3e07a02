"""Tests that are the same for every release: which `make test` runs, and which `make releases`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def each(releases: Sequence[str]) -> list[pytest.ParameterSet]:
    """Values for ``parametrize``: all but the last, which is the newest, are marked ``release``."""
    *others, newest = releases
    return [*(pytest.param(one, marks=pytest.mark.release) for one in others), pytest.param(newest)]
