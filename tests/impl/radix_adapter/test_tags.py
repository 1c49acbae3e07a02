"""Tags: recognisable content for slots."""

from __future__ import annotations

import numpy as np

from radixproof.impl.radix.pools import Geometry, KVPool
from radixproof.impl.radix_adapter.tags import Tags

from ..radix.slots import CPU, slots


def test_tags_are_read_back_and_disagreement_is_seen() -> None:
    pool = KVPool(4, 1, Geometry(), CPU)
    tags = Tags(pool)
    tags.write(slots(1, 3), np.array([0, 2**22 - 1], dtype=np.float32))
    assert tags.read(slots(3, 1, 2)) == [2**22 - 1, 0, -1]
    pool.values[1, 3, 0, 1] += 1
    assert tags.read(slots(3, 1)) == [-1, 0]
    assert tags.read(slots()) == []
