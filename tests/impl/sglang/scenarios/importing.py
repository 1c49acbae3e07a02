"""A release in its process."""

from __future__ import annotations

import sys

import pytest

from radixproof.impl.sglang.adapter import target
from radixproof.impl.system import Target, Unavailable

from .bench import RELEASES, SWA, build, equal


def one_release_per_process(release: Target) -> None:
    build(release, SWA)
    other = next(version for version in RELEASES if f"sglang=={version}" != release.name)
    with pytest.raises(Unavailable, match=r"is not prepared|another process"):
        target(other).build(SWA)


def stand_ins_are_gone(release: Target) -> None:
    build(release, SWA)
    left = [
        name
        for name, module in sys.modules.items()
        if type(module).__name__ == "_AnyModule" and not name.startswith("sglang")
    ]
    equal(left, [])
