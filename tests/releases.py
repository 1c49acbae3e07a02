"""Tests that are the same for every release, or for every way to do something: which of them
`make test` runs, and which `make releases` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

AGAIN = pytest.mark.release
"""Does once more, in another way, what another test does, and takes seconds for it."""


def each(releases: Sequence[str]) -> list[pytest.ParameterSet]:
    """Values for ``parametrize``: all but the last, which is the newest, are marked ``release``."""
    *others, newest = releases
    return [*(pytest.param(one, marks=pytest.mark.release) for one in others), pytest.param(newest)]


def ends(releases: Sequence[str]) -> list[Any]:
    """Values for ``parametrize``: all but the first and the last are marked ``long``."""
    oldest, *others, newest = releases
    return [oldest, *(pytest.param(one, marks=pytest.mark.long) for one in others), newest]


def again(*values: Any, id: str | None = None) -> pytest.ParameterSet:
    """Values for ``parametrize`` with which a test is done `AGAIN`."""
    return pytest.param(*values, marks=AGAIN, id=id)
