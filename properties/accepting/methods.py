"""The methods of a system: all that its scope calls for, each to be called as the protocols say."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from typing import Any, cast

from radixproof.impl.carrying import Carrying
from radixproof.impl.fetching import Fetching
from radixproof.impl.operations import (
    EvictHost,
    HostInsert,
    HostLock,
    LoadBack,
    LoadingCheck,
    Operation,
    Prefetch,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    RunForward,
    WritingCheck,
)
from radixproof.impl.scope import Scope
from radixproof.impl.system import (
    AdapterMistake,
    Complete,
    Stateful,
    System,
    Windowed,
)
from radixproof.model.config import Component

_METHODS: dict[type[Operation], tuple[str, ...]] = {
    Reset: ("reset",),
    Refuse: ("refuse",),
    EvictHost: ("evict_host",),
    LoadBack: ("load_back",),
    RunCopies: ("run_copies",),
    RunForward: ("launch", "run_forward"),
    WritingCheck: ("writing_check",),
    LoadingCheck: ("loading_check",),
    HostLock: ("lock_host", "unlock_host"),
    HostInsert: ("allocate_host", "free_host", "write_host", "insert_host"),
    Prefetch: (
        "lock_host",
        "unlock_host",
        "evict_host",
        "allocate_host",
        "free_host",
        "write_host",
        "insert_fetched",
    ),
}
"""What an operation calls beyond `System`."""


def complete(system: System, scope: Scope) -> Complete:
    """The system, with every method that its scope calls for.

    Raises `AdapterMistake` if one of them is missing, or cannot be called as the protocols say.
    """
    missing = [name for name in called(scope) if not callable(getattr(system, name, None))]
    core = [name for name in missing if hasattr(System, name)]
    kind = type(system).__name__
    if core:
        raise AdapterMistake(
            f"{kind} has no {', '.join(core)}, which every system must have{_alike(system, core)}"
        )
    if missing:
        raise AdapterMistake(
            f"the scope of {kind} calls for {', '.join(missing)}, which it does not have"
            f"{_alike(system, missing)}: leave out of the scope what the system cannot do"
        )
    for name, wanted in _parameters(scope):
        if not _takes(type(system), name, len(wanted)):
            raise AdapterMistake(
                f"{kind}.{name} cannot be called with ({', '.join(wanted)}), as it will be"
            )
    return cast(Complete, system)


@cache
def called(scope: Scope) -> tuple[str, ...]:
    """Methods that a system with this scope must have."""
    offers, components = scope.offers(), scope.components
    names = [name for name in vars(System) if not name.startswith("_")]
    names += [name for kind, called in _METHODS.items() if kind in offers for name in called]
    if Reset in offers and scope.hosted:
        names.append("in_flight")
    if Component.SWA in components:
        names += [name for name in vars(Windowed) if not name.startswith("_")]
    if Component.MAMBA in components:
        names += [name for name in vars(Stateful) if not name.startswith("_")]
    if ReleaseWindow in offers and components != (Component.FULL,):
        names.append("release_window")
    if scope.ranks and WritingCheck in offers:
        names.append("copied")
    if scope.carries_prefetches and Prefetch in offers:
        names += [name for name in vars(Fetching) if not name.startswith("_")]
    if scope.carries_requests:
        names += [name for name in vars(Carrying) if not name.startswith("_")]
    if scope.self_checks:
        names.append("check_itself")
    return tuple(names)


def _alike(system: System, missing: list[str]) -> str:
    """Names that may have been meant."""
    has = [name for name in dir(system) if not name.startswith("_") and not hasattr(Complete, name)]
    found = [near for name in missing for near in get_close_matches(name, has, 1, 0.7)]
    return f" (is it {', '.join(found)}?)" if found else ""


@cache
def _parameters(scope: Scope) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Per method, the names of what it will be called with."""
    found = []
    for name in called(scope):
        _, *wanted = inspect.signature(getattr(Complete, name)).parameters
        if "limit" in wanted and not scope.ranks:
            wanted.remove("limit")
        found.append((name, tuple(wanted)))
    return tuple(found)


@cache
def _takes(kind: type[System], name: str, arguments: int) -> bool:
    """Whether a method can be called with so many arguments, as far as that can be seen."""
    method: Callable[..., Any] | None = getattr(kind, name, None)
    if not inspect.isfunction(method):
        return True
    try:
        inspect.signature(method).bind(*[None] * (arguments + 1))
    except TypeError:
        return False
    return True
