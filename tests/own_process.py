"""Programs in processes of their own, that need not import torch anew.

One process can run one release of SGLang. Starting Python and importing torch takes longer than
what most tests do then, so a server of forks does it once, and every program begins there.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext, ForkServerProcess

PRELOADED = (
    "torch",
    "radixproof.impl.radix_adapter.target",
    "radixproof.impl.sglang.adapter",
    "radixproof.properties.running.run",
)
"""What most programs import. Nothing of SGLang; a module that is missing here costs only time."""

BOOT = """
import contextlib, io, sys
sys.argv = ["-c", *arguments]
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
connection.send(printed.getvalue())
"""
_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(PRELOADED))


def printed_by(program: str, *arguments: str) -> str:
    """What a program prints, that is run in a process of its own. It must end without an error."""
    receiving, sending = _CONTEXT.Pipe(duplex=False)
    given = {"program": program, "arguments": arguments, "connection": sending}
    process: ForkServerProcess = _CONTEXT.Process(target=exec, args=(BOOT, given))
    process.start()
    sending.close()
    try:
        return str(receiving.recv())
    except EOFError:
        process.join()
        raise AssertionError(f"the program ended with exit code {process.exitcode}") from None
    finally:
        process.join()
