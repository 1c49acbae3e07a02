"""Configurations with tiny pools, and prompts for them, that scopes are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from radixproof.impl.operations import Operation
from radixproof.model.config import EvictionPolicy
from radixproof.properties.exploring.alphabets import Alphabet

Kinds: TypeAlias = tuple[type[Operation] | Alphabet, ...]
Shape: TypeAlias = dict[str, Any]
Pages: TypeAlias = tuple[tuple[int, ...], ...]
"""Prompts, each as the kinds of its pages."""

# -- configurations --------------------------------------------------------------------------------

FULL: Shape = {"device_pages": 3, "host_pages": 3}
SWA: Shape = {"window": 1, "swa_pages": 3, "swa_host_pages": 3}
MAMBA: Shape = {"mamba_states": 2, "mamba_host_states": 2}
PAGES: Shape = {"page_size": 2}
WRITE_BACK: Shape = {"write_back": True, "host_pages": 2}
ROOMY: Shape = {"device_pages": 4, "host_pages": 6}
LARGE: Shape = {"device_pages": 6, "host_pages": 6}
VAST: Shape = {"device_pages": 12, "host_pages": 12}
BACK: Shape = {"write_back": True}
SWA_LARGE: Shape = {"window": 1, "swa_pages": 6, "swa_host_pages": 6}
SWA_VAST: Shape = {"window": 1, "swa_pages": 12, "swa_host_pages": 12}
WIDE: Shape = {
    "window": 2,
    "swa_pages": 4,
    "swa_host_pages": 4,
    "device_pages": 5,
    "host_pages": 5,
}
WIDER: Shape = {**LARGE, "window": 3, "swa_pages": 6, "swa_host_pages": 2}
STATES: Shape = {"mamba_states": 4, "mamba_host_states": 4}
SELECTIVE: Shape = {"threshold": 2}


def policy(name: EvictionPolicy) -> Shape:
    return {"eviction_policy": name}


VARIANTS: Mapping[str, Shape] = {
    name + suffix: {**FULL, **part, **back}
    for name, part in (
        ("full", {}),
        ("swa", SWA),
        ("mamba", MAMBA),
        ("swa-mamba", {**SWA, **MAMBA}),
    )
    for suffix, back in (("", {}), ("-write-back", WRITE_BACK))
}

# -- prompts ---------------------------------------------------------------------------------------

ONE: Pages = ((1,),)
TWO: Pages = ((1,), (2,))
STEP: Pages = ((1,), (1, 1))
STEPS: Pages = ((1,), (1, 1), (1, 1, 1))
CHAIN: Pages = ((1,), (1, 1), (1, 2))
"""A prompt and two that continue it."""
BESIDE: Pages = ((1,), (1, 1), (2,))
LONG: Pages = ((1,), (1, 1), (1, 1, 1, 1), (1, 1, 2))
"""Several pages of windows, or of a fork."""
LONGER: Pages = ((1, 1), (1, 1, 1), (2,), (2, 1, 1))
ASSORTED: Pages = (
    (),
    (0,),
    (1,),
    (65537,),
    (0, 1),
    (1, 1),
    (1, 2),
    (1, 1, 1, 1),
    (1, 1, 1, 2),
    (1, 2, 1, 2),
    (1,) * 9,
    (1,) * 8 + (2,),
    (1,) * 10,
)
"""From nothing to what is longer than a word, with forks at many places, and odd tokens."""
