"""Files that commands write for a person: what cannot be written is said in a sentence."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from radixproof.impl.system import Unavailable
from radixproof.properties.histories.durable import write_file


def write(file: Path, text: str) -> None:
    """Write a file whole. Raises `Unavailable` if that is impossible."""
    try:
        write_file(file, text)
    except OSError as error:
        raise Unavailable(f"cannot write {file}: {error.strerror}") from None


def show(page: Path) -> None:
    """Open a page in a browser."""
    webbrowser.open(page.resolve().as_uri())
