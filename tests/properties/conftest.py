"""Fixtures of all tests of the harness."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from radixproof.properties.campaigns import lane

from ..own_process import CONTEXT


@pytest.fixture(autouse=True, scope="session")
def _lanes() -> Iterator[None]:
    """Lanes that tests start in their own process need not import torch anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "CONTEXT", CONTEXT)
        yield
