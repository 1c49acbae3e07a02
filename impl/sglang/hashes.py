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
    names = []
    for start in range(0, length, page_size or max(length, 1)):
        end = min(start + page_size, length) if page_size else length
        if bigram:
            tokens = [token for at in range(start, end) for token in raw[at : at + 2]]
        else:
            tokens = list(raw[start * width : end * width])
        prior = sha256((prior or b"") + _bytes(tokens)).digest()
        names.append(prior.hex())
    if page_size:
        return names
    return names[0] if names else sha256(prior or b"").hexdigest()


def _bytes(tokens: Sequence[int]) -> bytes:
    if all(token < _NARROW for token in tokens):
        return b"".join(token.to_bytes(4, "little") for token in tokens)
    return _WIDE + b"".join(token.to_bytes(8, "little") for token in tokens)
