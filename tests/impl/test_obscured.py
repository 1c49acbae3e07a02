"""A target behind a filter: what its sight hides is gone from what is observed, and nothing else
is.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from radixproof.impl.obscured import obscured
from radixproof.impl.observation import Observation
from radixproof.impl.registry import find
from radixproof.impl.sight import NODES_ONLY, Sight
from radixproof.impl.system import Lookup
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key

KEY = Key((1, 2, 3))
SHAPE = Config(window=2, swa_pages=8, swa_host_pages=16)


def looked(sight: Sight) -> tuple[Lookup, Observation]:
    """A match, and all that is shown, of a cache with one node whose backup is in flight."""
    system = obscured(find("radix"), sight).build(SHAPE)
    slots = system.allocate(3)
    assert slots is not None
    system.write(slots, [1, 2, 3])
    system.insert(KEY, slots, 0, 0)
    found = system.match(KEY)
    system.lock(found.anchor)
    return found, system.observe(True)


def plain(sight: Sight) -> dict[str, Any]:
    """All that is shown, by where it stands."""
    found, seen = looked(sight)
    assert seen.whole is not None
    lowest = seen.nodes[-1]
    return {
        "host_hits": found.host,
        **{name: getattr(seen, name) for name in ("free", "evictable", "protected", "events")},
        **{f"whole.{item.name}": getattr(seen.whole, item.name) for item in fields(seen.whole)},
        **lowest._asdict(),
    }


PLACES = {
    "slots": {"slots"},
    "locks": {"locks"},
    "host_locks": {"host_locks"},
    "backup_marks": {"pending"},
    "load_marks": set(),
    "marks_after_split": set(),
    "sizes": {"evictable", "protected"},
    "free_counts": {"free"},
    "free_lists": {"whole.free"},
    "swa_map": {"whole.swa_of"},
    "leaf_sets": {"whole.device_leaves", "whole.host_leaves"},
    "lru_lists": {"whole.lru_lists"},
    "recency": {"whole.ages"},
    "host_hits": {"host_hits"},
    "events": {"events"},
}


@pytest.mark.parametrize("item", fields(Sight), ids=lambda item: item.name)
def test_what_is_hidden_is_not_there(item: Any) -> None:
    everything = plain(Sight())
    less = plain(replace(Sight(), **{item.name: getattr(NODES_ONLY, item.name)}))
    assert {name for name in everything if everything[name] != less[name]} == PLACES[item.name]


def test_nameless_slots_are_as_many() -> None:
    _, seen = looked(replace(Sight(), slots=(Pool.SWA,)))
    lower = seen.nodes[-1]
    assert lower.slots[Pool.FULL] == lower.slots[Pool.FULL_HOST] == (0, 0)
    assert lower.slots[Pool.SWA] not in (None, (0, 0))


def test_one_pool_or_one_component_can_be_seen_alone() -> None:
    sight = replace(Sight(), locks=(Component.FULL,), free_counts=(Pool.SWA,))
    _, seen = looked(sight)
    assert seen.nodes[-1].locks == (1 + 1, 0, 0)
    assert seen.free == (0, 5, 0, 0, 0, 0)
