"""Whether a pasted test fails as it should: it is run."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_FILE = "<pasted test>"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a test failed with."""

    error: str
    message: str
    asserted: bool
    """By an assertion of its own, or by SGLang's check of itself, which it asked for."""
    where: str
    """The innermost function."""


def failure(source: str, release: str | None) -> Failure | None:
    """What the only test in ``source`` fails with, or None if it passes.

    ``release`` is that of SGLang which it is for, if any. This process is changed by it.
    """
    if release is not None:
        from radixproof.impl.sglang import shim, store

        shim.on_cpu(store.locate(release))
    names: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(source, _FILE, "exec"), names)
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    return _failure_of(test)


def _failure_of(test: Callable[[], None]) -> Failure | None:
    try:
        test()
    except BaseException as error:  # a panic of Rust is no Exception
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        own = frames[-1].f_code.co_filename == _FILE
        sane = any(frame.f_code.co_name == "sanity_check" for frame in frames)
        asserted = isinstance(error, AssertionError) and (own or sane)
        where = frames[-1].f_code.co_qualname
        return Failure(type(error).__name__, str(error), asserted, where)
    return None
