"""Small trees, prompts and pages that the contracts are about: drawn from plain values.

Prefixes have no more than `PAGES` pages, so that all paths of execution can be exhausted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from radixproof.model.config import DEVICE, HOST, Component, Config, Pool
from radixproof.model.key import Key
from radixproof.model.specification.trie import Holder, HolderKind, Page, Trie

PAGES = 3
"""Most pages of a prefix."""
PAGE = 2
"""Tokens of a page."""
PLENTY = 64
"""Pages of every pool: more than any contract needs."""

THEIRS = Holder(HolderKind.RECEIPT, "theirs")
OURS = Holder(HolderKind.RECEIPT, "ours")

Row: TypeAlias = tuple[bool, bool, bool]
"""For a page: a node ends with it, the device has its SWA (or its state), the host has it."""


def small_config(page_size: int = PAGE, window: int | None = None, states: bool = False) -> Config:
    swa, mamba = 0 if window is None else PLENTY, PLENTY if states else 0
    return Config(page_size, window, PLENTY, swa, mamba, PLENTY, swa, mamba)


def path_with(trie: Trie, cuts: Sequence[bool], device: int = PAGES) -> list[Page]:
    """One path with these node ends; FULL of its first ``device`` pages is on the device, of the
    others on the host only.
    """
    page, path = trie.root(""), []
    for at, cut in enumerate(cuts):
        page = trie.child(page, (at,) * trie.config.page_size)
        page.cut = cut
        page.resident_in[Pool.FULL if at < device else Pool.FULL_HOST] = True
        path.append(page)
    return path


def path_of_rows(
    trie: Trie, rows: Sequence[Row], device: int, component: Component = Component.SWA
) -> list[Page]:
    """The same with a second component; it is on the device only where FULL is (semantics 7.6)."""
    path = path_with(trie, [cut for cut, _, _ in rows], device)
    for page, (_, here, hosted) in zip(path, rows, strict=True):
        page.resident_in[DEVICE[component]] = page.has(Pool.FULL) and here
        page.resident_in[HOST[component]] = hosted
    return path


def are_cuts(cuts: Sequence[bool]) -> bool:
    """The cuts of a path that is not too long, and ends where a node ends."""
    return 1 <= len(cuts) <= PAGES and cuts[-1]


def are_rows(rows: Sequence[Row]) -> bool:
    return 1 <= len(rows) <= PAGES and rows[-1][0]


def is_short(tokens: Sequence[int]) -> bool:
    """A prompt of no more tokens than the longest path has pages, and of two different ones."""
    return len(tokens) <= PAGES and all(0 <= token <= 1 for token in tokens)


def prompt_of(shared: int, pages: int) -> Key:
    """A prompt of whole pages, the first of which are the same whatever its length."""
    common, length = shared * PAGE, pages * PAGE
    return Key((*range(1, common + 1), *range(-length, -common)))


def common_tokens(one: Sequence[int], other: Sequence[int]) -> int:
    """Tokens that two prompts have in common at their beginning."""
    differ = (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(differ, min(len(one), len(other)))


def tokens_in(pages: Sequence[Page]) -> int:
    return sum(len(page.tokens) for page in pages)
