"""Before a search: an adapter that is not known to be right is tried out."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from radixproof.impl.scope import Scope
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.properties.accepting.tryout import REMEDIES, tried_out
from radixproof.properties.generating.configs import config

DRAWS = 30
"""Configurations drawn, so that two that differ are among them wherever the scope lets them."""


def try_out(target: Target) -> None:
    """Raises `AdapterMistake`."""
    if not target.vetted:
        tried_out(target, list(differing(target.scope)))


def differing(scope: Scope) -> Iterator[Config]:
    """A few configurations, for some systems take their time to be built: together they differ in
    all that it is tried out for and the scope lets differ.
    """
    seen: dict[str, set[object]] = {name: set() for name in REMEDIES if hasattr(Config, name)}
    for number in range(DRAWS):
        drawn = config(Random(f"{number}"), scope)
        values = {name: getattr(drawn, name) for name in seen}
        if any(len(seen[name]) < 2 and values[name] not in seen[name] for name in seen):
            yield drawn
            for name, value in values.items():
                seen[name].add(value)
