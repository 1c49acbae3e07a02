"""The one call that records a live cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof import record


def test_another_cache_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a dict cannot be recorded: only radixproof's RadixCache"):
        record({}, tmp_path)
    assert not [*tmp_path.iterdir()]
