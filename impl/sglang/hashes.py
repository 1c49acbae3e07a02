"""The names of pages, computed in Python in the place of the extension that SGLang compiles for it.

Since 0.5.18 SGLang compiles it when it is first needed, for which a compiler and OpenSSL have to be
there. The names are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

_NARROW = 2**32
_WIDE = b"\xff"
"""What the bytes of a page begin with that has a larger token: there each token takes 8 bytes."""


def get_hash(
    raw: Sequence[int],
    length: int,
    width: int,
    bigram: bool,
    prior: bytes | None,
    page_size: int | None = None,
) -> str | list[str]:
    """The names of the pages of ``length`` units, each after the one above, or one name for all.

    A unit has ``width`` tokens, which overlap in bigrams: ``raw`` has each token once then.
    ``prior`` is the name of what comes before.
    """
    if page_size:
        return page_names(raw, length, bigram, page_size, width, prior)
    return (
        page_names(raw, length, bigram, length, width, prior)[0]
        if length
        else sha256(prior or b"").hexdigest()
    )


def page_names(
    raw: Sequence[int],
    length: int,
    bigram: bool,
    page_size: int,
    width: int = 1,
    prior: bytes | None = None,
) -> list[str]:
    """The names of pages as in `get_hash`, of which the last need not be whole."""
    names = []
    for start in range(0, length, page_size):
        end = min(start + page_size, length)
        if bigram:
            tokens = [token for at in range(start, end) for token in raw[at : at + 2]]
        else:
            tokens = list(raw[start * width : end * width])
        prior = sha256((prior or b"") + _bytes(tokens)).digest()
        names.append(prior.hex())
    return names


def _bytes(tokens: Sequence[int]) -> bytes:
    if all(token < _NARROW for token in tokens):
        return b"".join(token.to_bytes(4, "little") for token in tokens)
    return _WIDE + b"".join(token.to_bytes(8, "little") for token in tokens)
