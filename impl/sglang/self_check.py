"""What SGLang's own check of its tree complains of."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from radixproof.impl.system import Complaint

_PARTICULARS = re.compile(r"\{[^}]*\}|\w+\(\d*\)|\[[\d, ]*\]|[+\w]*=\S*|\d+")
"""Which nodes it is about, and how many: sets, names of nodes, lists, values and numbers."""
_IN_RUST = {
    "full-host-coexistence-missing": "duplicate-missing",
    "swa-host-lru-mismatch-at-node": "swa-host-lru",
    "mamba-host-lru-mismatch-at-node": "mamba-host-lru",
}
"""What the core in Rust says in other words than that in Python."""
_NO_WORD = re.compile(r"[^a-z]+")


@contextmanager
def unheard() -> Iterator[None]:
    """Within the block nothing is printed: some releases print the whole tree when they find
    something wrong, those in Rust to the process's own output.
    """
    kept = os.dup(1)
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(io.StringIO()):
            os.dup2(nowhere.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def complaint(message: str) -> Complaint:
    """The first thing that is wrong, named by the words of the check without its particulars.

    The message has a line that counts them, and a line for each.
    """
    first = (message.strip().splitlines()[1:] or [message])[0].strip()
    return Complaint(_kind(first), first)


def _kind(line: str) -> str:
    kind = _NO_WORD.sub("-", _PARTICULARS.sub("", line).lower()).strip("-")
    return _IN_RUST.get(kind, kind)
