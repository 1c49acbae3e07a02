"""The last words of a child: where in the system it was when it was killed, exited, or hung.

Python's `faulthandler` writes them, in C, into a file that has no name; they are read here.
"""

from __future__ import annotations

import ast
import faulthandler
import os
import re
import signal
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

_ROOMS = tuple(f"{file.parents[2]}/" for file in (Path(__file__), Path(__file__).resolve()))
"""The folder that the rooms are in; it may be reached through links."""
_OURS = tuple(f"{base}{room}/" for base in _ROOMS for room in ("properties", "model"))
_SYSTEMS = ("/sglang/", *(f"{base}impl/" for base in _ROOMS))
_REGISTRY = "/impl/registry.py"
_STANDARD = sysconfig.get_path("stdlib")
_FRAME = re.compile(r'^  File "(.*)", line (\d+) in ', re.MULTILINE)
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class _Frame:
    file: str
    line: int

    @property
    def ours(self) -> bool:
        return self.file.startswith(_OURS)

    @property
    def of_systems_here(self) -> bool:
        """Whether it is of SGLang, or of a system in this repository."""
        return any(part in self.file for part in _SYSTEMS) and not self.file.endswith(_REGISTRY)

    @property
    def standard(self) -> bool:
        return self.file.startswith(_STANDARD) and "-packages" not in self.file


class LastWords:
    """Made before the child is forked."""

    SIGNAL = signal.SIGUSR1
    """Makes a child that listens say where it is."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it is closed by `close`)
        self._listener = 0

    def listen(self) -> None:
        """Called in the child."""
        _listening[:] = [self]
        self._listener = os.getpid()
        faulthandler.enable(self._file, all_threads=False)
        faulthandler.register(self.SIGNAL, self._file, all_threads=False)
        os._exit = _exit

    def say(self) -> None:
        """Written by the child, not by processes that the system has forked."""
        if os.getpid() == self._listener:
            faulthandler.dump_traceback(self._file, all_threads=False)

    def innermost(self) -> str:
        """The function of the system that the child died in: of SGLang or one of ours, if there is
        one; else the innermost outside the harness. Empty if that is not known.
        """
        frames = self._of_the_system()
        known = [frame for frame in frames if frame.of_systems_here]
        own = [frame for frame in frames if not frame.standard]
        return _place(known or own or frames, 0)

    def outermost(self) -> str:
        """The method of the system that the harness had called: a system that hangs may be in any
        function below it.
        """
        return _place(self._of_the_system(), -1)

    @property
    def in_the_harness(self) -> bool:
        """Whether the child was seen, and not in the system."""
        frames = [frame for frame in self._frames() if not frame.standard]
        return bool(frames) and frames[0].ours

    def _of_the_system(self) -> list[_Frame]:
        """The frames below the harness, if it had called a system, the innermost first."""
        frames = list(self._frames())
        below = list(takewhile(lambda frame: not frame.ours, frames))
        return below if len(below) < len(frames) else []

    def _frames(self) -> Iterator[_Frame]:
        text = os.pread(self._file.fileno(), _LONGEST, 0).decode(errors="replace")
        for file, line in _FRAME.findall(text):
            if file != __file__:
                yield _Frame(file, int(line))

    def close(self) -> None:
        self._file.close()


_listening: list[LastWords] = []
leave = os._exit
"""Ends this process at once, and says nothing."""


def _exit(status: int) -> NoReturn:
    """`os._exit` in a child."""
    with suppress(BaseException):
        for words in _listening:
            words.say()
    leave(status)


def listen_again() -> None:
    """After a system was imported, which may have set up something of the kind for itself."""
    for words in list(_listening):
        with suppress(OSError, ValueError):
            words.listen()


def _place(frames: list[_Frame], which: int) -> str:
    return _function(frames[which].file, frames[which].line) if frames else ""


@cache
def _function(file: str, line: int) -> str:
    """The qualified name of the function that a line of a file is in."""
    try:
        node: ast.AST = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return Path(file).name
    names: list[str] = []
    above = node
    while inner := next((each for each in ast.iter_child_nodes(node) if _holds(each, line)), None):
        node = inner
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names += [*(["<locals>"] if isinstance(above, _FUNCTIONS) else []), node.name]
            above = node
    return ".".join(names) or Path(file).name


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _holds(node: ast.AST, line: int) -> bool:
    first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    return first is not None and last is not None and first <= line <= last
