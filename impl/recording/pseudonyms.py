"""Pseudonyms of prompts: which prompts begin alike, page by page, and nothing else of them.

The pseudonym of a page is a keyed hash of its tokens and of the pseudonym of the page before, so
that it stands for all of the prompt down to its end. The key is drawn anew for each recording and
written nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

SIZE = 8
"""Bytes of a pseudonym: two of a million pages are the same once in forty million recordings."""
TOKEN = 8
"""Bytes of a token."""


@dataclass(slots=True)
class Pages:
    """The whole pages of a prompt as far as it is known, and the tokens that follow them."""

    pseudonyms: list[bytes] = field(default_factory=list)
    rest: bytes = b""


class Pseudonyms:
    """Gives pseudonyms to the prompts of one recording.

    Where keys are seen as pairs of neighbours, a page of pairs needs one token more, which is the
    first of the next page as well.
    """

    def __init__(self, page_size: int, bigram: bool) -> None:
        self._page = page_size * TOKEN
        self._more = TOKEN if bigram else 0
        self._key = secrets.token_bytes(32)

    def go_on(self, pages: Pages, tokens: bytes) -> None:
        """More tokens of a prompt are known."""
        text = pages.rest + tokens
        start = 0
        while start + self._page + self._more <= len(text):
            before = pages.pseudonyms[-1] if pages.pseudonyms else b""
            page = text[start : start + self._page + self._more]
            hashed = hashlib.blake2b(before + page, key=self._key, digest_size=SIZE)
            pages.pseudonyms.append(hashed.digest())
            start += self._page
        pages.rest = text[start:]

    def whole(self, length: int) -> int:
        """Whole pages among so many tokens."""
        return max(0, length * TOKEN - self._more) // self._page
