"""A release in its process."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from radixproof.impl.sglang.adapter import target
from radixproof.impl.sglang.api import MEM_CACHE
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


def what_an_exception_left_behind_is_not_complained_of(release: Target) -> None:
    """On stderr, by the garbage collector, where nobody can tell what it is about."""
    build(release, SWA)
    results: Any = sys.modules.get(f"{MEM_CACHE}.unified_cache.unified_tree_core_interface")
    if results is not None:
        complaints: list[object] = []
        hook, sys.unraisablehook = sys.unraisablehook, complaints.append
        left = results.BaseEvictionResult()
        left.device_frees[0].append(None)
        del left
        sys.unraisablehook = hook
        equal(complaints, [])
