"""Processes of their own, that need not import torch anew.

Starting Python and importing torch takes longer than what most tests do then. So a server of forks
does it once for all tests of a process, and what they start begins there: programs, commands, and
the lanes of a search.
"""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from typing import Any

PRELOADED = (
    "torch",
    "pytest",
    "hypothesis.stateful",
    "radixproof.impl.radix_adapter.target",
    "radixproof.impl.sglang.adapter",
    "radixproof.properties.workers.searching",
    "radixproof.properties.running.run",
)
"""What most of them import; a module that is missing here costs only time.

Nothing of SGLang: one process can run one release of it.
"""
SECONDS = 300
"""After so long, a command is taken to hang."""


class _Process(ForkServerProcess):
    """It begins with the variables that its parent has when it is started."""

    def __init__(self, target: Callable[..., object], args: Sequence[Any], **rest: Any) -> None:
        given = (dict(os.environ), target, tuple(args))
        super().__init__(target=_with_variables, args=given, **rest)


class Context(ForkServerContext):
    Process = _Process


CONTEXT = Context()
CONTEXT.set_forkserver_preload(list(PRELOADED))


def _with_variables(
    variables: Mapping[str, str], target: Callable[..., object], args: tuple[Any, ...]
) -> None:
    os.environ.clear()
    os.environ.update(variables)
    target(*args)


def printed_by(program: str, *arguments: str) -> str:
    """What a program prints, given as its text. It must end without an error."""
    receiving, sending = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_print, args=(sending, program, arguments))
    process.start()
    sending.close()
    try:
        return str(receiving.recv())
    except EOFError:
        process.join()
        raise AssertionError(f"the program ended with exit code {process.exitcode}") from None
    finally:
        process.join()


def _print(connection: Connection, program: str, arguments: tuple[str, ...]) -> None:
    sys.argv = ["-c", *arguments]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
    connection.send(printed.getvalue())


def completed(module: str, *arguments: str, cwd: Path) -> CompletedProcess[str]:
    """What ``python -m MODULE ARGUMENTS`` comes to in a folder, as from `subprocess.run`."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = CONTEXT.Process(target=_run, args=(module, arguments, cwd, out, err))
        process.start()
        process.join(SECONDS)
        code = process.exitcode
        if code is None:
            process.kill()
            raise AssertionError(f"{module} did not end within {SECONDS} seconds")
        return CompletedProcess([module, *arguments], code, out.read_text(), err.read_text())


def _run(module: str, arguments: tuple[str, ...], folder: Path, *files: Path) -> None:
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
