"""Keys: prompts, as requests have them and as the tree sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from radixproof.model.source_text import AsSource

Units: TypeAlias = tuple[int, ...] | tuple[tuple[int, int], ...]
"""What the tree sees of a key: tokens, or, where keys are bigrams, pairs of neighbours (2.2)."""


@dataclass(frozen=True, slots=True, repr=False)
class Key(AsSource):
    """A prompt: its tokens, and the namespace (in SGLang ``extra_key``) it is private to (2.1)."""

    tokens: tuple[int, ...]
    namespace: str = ""

    def units(self, bigram: bool) -> Units:
        """The key as the tree sees it, with its incomplete page (semantics 2.2)."""
        return tuple(pairwise(self.tokens)) if bigram else self.tokens

    def __str__(self) -> str:
        text = "[" + " ".join(map(str, self.tokens)) + "]"
        return f"{self.namespace}:{text}" if self.namespace else text


def tokens_of(units: Sequence[Any]) -> tuple[int, ...]:
    """The tokens that a run of units was seen in (semantics 2.2)."""
    if units and isinstance(units[0], tuple):
        return (units[0][0], *(second for _, second in units))
    return tuple(units)
