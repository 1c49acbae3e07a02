"""What a system raised, as an outcome: the error, and the function of the system it came from."""

from __future__ import annotations

import signal
import sys
import traceback
from types import TracebackType

from radixproof.properties.performing.outcomes import Crashed

LONGEST = 200
"""Characters of a message that are kept."""

_OURS = ("radixproof.properties.", "radixproof.model.", "radixproof.impl.replicas")
_SYSTEMS = ("sglang.", "radixproof.impl.")
_PASSING_THROUGH = ("_pytest.", "hypothesis.", *_OURS)
"""Where those are defined, other than `Exception`s, that end a test or a search from outside."""


def crash(error: BaseException) -> Crashed:
    first = _first(_raised(error))
    return Crashed(plain(type(first).__name__), first_line(first), _where(first.__traceback__))


def is_of_the_system(error: BaseException) -> bool:
    """Whether what came out of a call of the system is an outcome of that call.

    So is an exit, or a panic of Rust code, which is no `Exception`. Ctrl-C is not, except where
    Ctrl-C is ignored: then only the system can have raised it. Nor is the end of a generator.
    """
    if isinstance(error, GeneratorExit):
        return is_from_the_system(error)
    if isinstance(error, KeyboardInterrupt):
        return signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    module = type(error).__module__
    return isinstance(error, Exception) or not module.startswith(_PASSING_THROUGH)


def is_from_the_system(error: BaseException) -> bool:
    """Whether an error was raised by code outside the harness, that the harness had called."""
    frames = _frames(_raised(error).__traceback__)
    modules = [module for module, _ in frames if not module.startswith(_OURS)]
    return any(module.partition(".")[0] not in sys.stdlib_module_names for module in modules)


def _raised(error: BaseException) -> BaseException:
    """What was raised at first: Python makes another error of a `StopIteration` that comes through
    a generator, one of ours mostly, and what is below that generator is in no frame of it.
    """
    cause = error.__cause__
    made = error.args == ("generator raised StopIteration",)
    return cause if made and isinstance(cause, StopIteration) else error


def _first(error: BaseException) -> BaseException:
    """The first of several panics of Rust: what it has left locked panics in whoever cleans up."""
    before = error.__context__
    if isinstance(error, Exception) or before is None or type(before) is not type(error):
        return error
    return _first(before)


def first_line(error: BaseException) -> str:
    """The first line of its message, as far as that is kept, in characters that can be printed."""
    return plain((_text(error).strip().splitlines() or [""])[0][:LONGEST])[:LONGEST]


def plain(text: str) -> str:
    """A text of a system with what cannot be printed escaped: a terminal obeys some of it, and a
    file or a pipe may refuse it.
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as other:  # of the system's, too
        if not is_of_the_system(other):
            raise
        return f"its text cannot be made ({type(other).__name__})"


def _where(trace: TracebackType | None) -> str:
    """The innermost function of the system under test; if that is neither ours nor SGLang's, the
    innermost outside the harness. Where replicas are compared, there is none.
    """
    frames = _frames(trace)
    outside = [(module, name) for module, name in frames if not module.startswith(_OURS)]
    known = [name for module, name in outside if module.startswith(_SYSTEMS)]
    return (known or [name for _, name in outside] or [""])[-1]


def _frames(trace: TracebackType | None) -> list[tuple[str, str]]:
    """Module and function of every frame, the outermost first."""
    return [
        (frame.f_globals.get("__name__", ""), frame.f_code.co_qualname)
        for frame, _ in traceback.walk_tb(trace)
    ]
