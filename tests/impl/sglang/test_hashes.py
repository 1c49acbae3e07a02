"""The names of pages: those that SGLang's releases give them, computed as its extension does."""

from __future__ import annotations

from array import array
from hashlib import sha256

import pytest

from radixproof.impl.sglang.hashes import get_hash

PRIOR = sha256(b"before").digest()


def named(*parts: bytes) -> str:
    return sha256(b"".join(parts)).hexdigest()


def words(*tokens: int, width: int = 4) -> bytes:
    return b"".join(token.to_bytes(width, "little") for token in tokens)


def test_each_page_is_named_after_all_before_it() -> None:
    tokens = array("q", [1, 2, 3, 4, 5])
    first = named(words(1, 2))
    second = named(bytes.fromhex(first), words(3, 4))
    third = named(bytes.fromhex(second), words(5))
    assert get_hash(tokens, 5, 1, False, None, 2) == [first, second, third]
    assert get_hash(tokens, 5, 1, False, PRIOR, 5) == [named(PRIOR, words(*tokens))]


@pytest.mark.parametrize(("prior", "before"), [(None, b""), (PRIOR, PRIOR)])
def test_without_pages_there_is_one_name(prior: bytes | None, before: bytes) -> None:
    assert get_hash([1, 2, 3], 3, 1, False, prior) == named(before, words(1, 2, 3))
    assert get_hash([], 0, 1, False, prior) == named(before)
    assert get_hash([], 0, 1, False, prior, 2) == []


def test_bigrams_overlap_and_other_units_do_not() -> None:
    one = named(words(1, 2))
    assert get_hash([1, 2, 3], 2, 2, True, None, 1) == [one, named(bytes.fromhex(one), words(2, 3))]
    assert get_hash([1, 2, 2, 3], 2, 2, False, None, 1) == get_hash([1, 2, 3], 2, 2, True, None, 1)


def test_large_tokens_make_their_page_a_wide_one() -> None:
    large = 2**32
    one = named(b"\xff", words(1, large, width=8))
    assert get_hash([1, large, 3], 3, 1, False, None, 2) == [
        one,
        named(bytes.fromhex(one), words(3)),
    ]
