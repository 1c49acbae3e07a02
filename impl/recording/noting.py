"""A method of a live cache that is noted whenever it is called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any, NamedTuple

from radixproof.impl.recording.notes import Note
from radixproof.impl.recording.tap import Tap, raised

TAP = "_radixproof_tap"
"""The attribute of a cache that has its tap; None before there is one."""


class Noting(NamedTuple):
    """How calls of a kind are noted."""

    kind: str
    given: Callable[..., Note]
    """What it was given: of the tap, and of what is not given by keyword alone."""
    returned: Callable[[Any], Note | None] = lambda _: ()
    """What it returned; None if it is not to be noted."""
    changes_pools: bool = False
    counted: Callable[[Any], int] | None = None
    """Of the cache: what a call that returns nothing may lower. One that does not is not noted."""


_NOTED = """
def {name}{parameters}:
    _tap = {cache}.{tap} or _begun({cache})
    if _tap is None or _tap.busy or _tap.ended:
        return _call({passed})
    _before = None
    try:
        if _counted is not None:
            _before = _counted({cache})
        _given = _describe_given(_tap, {given})
    except Exception as _error:
        _tap.fail(_error)
        return _call({passed})
    if _before == 0:
        return _call({passed})
    _tap.busy = True
    try:
        _result = _call({passed})
    except BaseException as _error:
        _tap.note((_kind, _tap.request, _given, None, None, _raised(_error)))
        raise
    finally:
        _tap.busy = False
    try:
        _returned = _describe_returned(_result if _before is None else _before - _counted({cache}))
        if _returned is not None:
            _free = _tap.free() if _changes_pools else None
            _tap.note((_kind, _tap.request, _given, _returned, _free, None))
    except Exception as _error:
        _tap.fail(_error)
    return _result
"""
"""A method that is noted, unless it is called in the course of one that is.

It has the very parameters of the one that it calls: to take whatever comes and to hand it on takes
more than twice as long, and that is felt with SGLang's core in Rust.
"""
_PASSED = {
    Parameter.POSITIONAL_ONLY: "{0}",
    Parameter.POSITIONAL_OR_KEYWORD: "{0}",
    Parameter.VAR_POSITIONAL: "*{0}",
    Parameter.KEYWORD_ONLY: "{0}={0}",
    Parameter.VAR_KEYWORD: "**{0}",
}
"""How a parameter is handed on."""


def noted(
    call: Callable[..., Any], noting: Noting, begun: Callable[[Any], Tap | None]
) -> Callable[..., Any]:
    """The method, noted; ``begun`` is asked for a tap where the cache has none."""
    inner = inspect.unwrap(call)
    names = {
        "_begun": begun,
        "_call": call,
        "_changes_pools": noting.changes_pools,
        "_counted": noting.counted,
        "_describe_given": noting.given,
        "_describe_returned": noting.returned,
        "_kind": noting.kind,
        "_raised": raised,
    }
    source = _source(inner.__name__, inspect.signature(inner))
    exec(compile(source, f"<{inner.__name__}, noted>", "exec"), names)
    tapped: Any = names[inner.__name__]
    tapped.__defaults__, tapped.__kwdefaults__ = inner.__defaults__, inner.__kwdefaults__
    return functools.wraps(call)(tapped)


def _source(name: str, signature: inspect.Signature) -> str:
    bare = [
        one.replace(default=Parameter.empty, annotation=Parameter.empty)
        for one in signature.parameters.values()
    ]
    cache, *rest = bare
    return _NOTED.format(
        name=name,
        parameters=inspect.Signature(bare),
        cache=cache.name,
        tap=TAP,
        passed=", ".join(_PASSED[one.kind].format(one.name) for one in bare),
        given=", ".join(
            _PASSED[one.kind].format(one.name)
            for one in rest
            if one.kind not in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD)
        ),
    )
