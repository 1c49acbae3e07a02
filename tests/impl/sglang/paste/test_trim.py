"""What is left of a file when what its test does not use is gone."""

from __future__ import annotations

import pytest

from radixproof.impl.sglang.paste.trim import trimmed

SOURCE = '''"""A docstring."""

from array import array
from types import SimpleNamespace

import torch
from pool import Allocator, Pool

try:
    from new import Swa
except ImportError:  # before
    from old import Swa

SIZE = 2
OTHER = Pool()


def used():
    return helper(array, SIZE)  # a comment


def unused():
    return Allocator, torch, Swa, SimpleNamespace, OTHER


def helper(kind, size):
    return kind.unused


'''


def test_what_the_test_uses_stays_with_its_blank_lines() -> None:
    assert (
        trimmed(SOURCE + "def test_it():\n    used()\n")
        == '''"""A docstring."""

from array import array

SIZE = 2


def used():
    return helper(array, SIZE)  # a comment


def helper(kind, size):
    return kind.unused


def test_it():
    used()
'''
    )


def test_what_is_used_in_turn_stays() -> None:
    assert trimmed(SOURCE + "def test_it():\n    used(), unused()\n") == (
        SOURCE + "def test_it():\n    used(), unused()\n"
    )


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Allocator()", "from pool import Allocator"),
        ("Allocator(Pool)", "from pool import Allocator, Pool"),
        ('f"{Pool}"', "from pool import Pool"),
    ],
)
def test_an_import_keeps_the_names_that_are_used(body: str, line: str) -> None:
    assert f"\n{line}\n" in trimmed(f"{SOURCE}def test_it():\n    {body}\n")


def test_an_attribute_is_not_a_name() -> None:
    assert "def unused" not in trimmed(SOURCE + "def test_it():\n    it.unused()\n")
