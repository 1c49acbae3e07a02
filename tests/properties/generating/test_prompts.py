"""Prompts that are made of earlier ones."""

from __future__ import annotations

from radixproof.model.key import Key
from radixproof.properties.generating.prompts import Prompts

from ..deeds import (
    PLAIN,
)


def test_a_prompt_extends_cuts_or_leaves_an_earlier_one() -> None:
    prompts = Prompts(PLAIN)
    first = prompts.derive(0, 0, 3, 0b010)
    assert first == Key((1, 2, 1))
    prompts.remember(first)
    prompts.remember(first)
    assert prompts.known == [Key(()), first]
    assert prompts.derive(1, 3, 1, 1) == Key((1, 2, 1, 2))
    assert prompts.derive(1, 2, 0, 0) == Key((1, 2))
    assert prompts.derive(1, 1, 1, 0) == Key((1, 1))


def test_only_so_many_prompts_are_remembered() -> None:
    prompts = Prompts(PLAIN)
    for token in range(40):
        prompts.remember(Key((token,)))
    assert len(prompts.known) == 12
    assert prompts.known[0] == Key(())
    assert prompts.known[-1] == Key((39,))
