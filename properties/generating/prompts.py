"""Prompts made from earlier prompts: few distinct pages, divergence at every interior page
(semantics 17.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.generating.wide import NARROW, Alphabet

MOST_KNOWN = 11
"""Prompts that others are made from, at a time."""


@dataclass(slots=True)
class Prompts:
    """Prompts seen so far in a history; new ones extend, cut or leave them."""

    config: Config
    namespaces: bool = True
    """Some prompts may have a namespace."""
    alphabet: Alphabet = NARROW
    known: list[Key] = field(default_factory=lambda: [Key(())])

    def derive(self, base: int, keep: int | None, tail: int, bits: int, namespace: int = 0) -> Key:
        """``keep`` tokens of prompt number ``base`` (None: all), then ``tail`` tokens of the kinds
        that ``bits`` say.

        All modulo their range. One base in four is empty, and no prompt is.
        """
        fourth, others = base % 4 == 0, len(self.known) - 1
        parent = self.known[0]
        if others and not fourth:
            parent = self.known[1 + (base - 1 - base // 4) % others]
        longest = self.alphabet.pages * self.config.page_size + self.config.bigram
        head = parent.tokens[: None if keep is None else keep % (len(parent.tokens) + 1)]
        tail = tail if head or tail else self.config.page_size + self.config.bigram
        kinds, names = len(self.alphabet.tokens), self.alphabet.namespaces
        added = []
        for _ in range(min(tail, longest - len(head))):
            bits, kind = divmod(bits, kinds)
            added.append(self.alphabet.tokens[kind])
        own = names[namespace % len(names)] if self.namespaces else ""
        return Key((*head, *added), parent.namespace if head else own)

    def remember(self, key: Key) -> None:
        if key not in self.known:
            self.known.append(key)
            if len(self.known) > 1 + MOST_KNOWN:
                del self.known[1]
