"""Passes that make single operations plainer: fields at their defaults, shorter prompts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from radixproof.impl.operations import Operation
from radixproof.model.config import Component
from radixproof.model.key import Key
from radixproof.properties.search.minimise.best import Shrinking, lower
from radixproof.properties.search.minimise.fields import (
    Tokens,
    defaults_of,
    text_like,
    texts_of,
    values_of,
)


def plainer_fields(now: Shrinking) -> None:
    """Try every field of every operation at its default, or nearer to it, and every
    prompt shorter.
    """
    for at in range(len(now.operations)):
        for name, default in defaults_of(now.operations[at]).items():
            value = getattr(now.operations[at], name)
            if isinstance(value, Key):
                now.accepts_fields(at, {name: replace(value, namespace="")})
                _shorter_text(now, at, name, now.best.config.page_size, 0)
            elif isinstance(value, tuple):
                _shorter_text(now, at, name, 1, len(default))
            elif not isinstance(value, str) or default is None:
                _plainer_field(now, at, name, default)
        _full_instead(now, at)


def _plainer_field(now: Shrinking, at: int, name: str, default: Any) -> None:
    value = getattr(now.operations[at], name)
    if not now.accepts_fields(at, {name: default}) and type(value) is int:
        lower(value, default or 0, lambda less: now.accepts_fields(at, {name: less}))


def _shorter_text(now: Shrinking, at: int, name: str, size: int, least: int) -> None:
    """Try a text with fewer pages: cut short, then without single ones."""

    def tokens() -> Tokens:
        return texts_of(now.operations[at])[name]

    def keeps(pages: int) -> bool:
        return now.accepts_fields(
            at, {name: text_like(now.operations[at], name, tokens()[: pages * size])}
        )

    pages = -(-len(tokens()) // size)
    lower(pages, least, keeps)
    for page in reversed(range(pages)):
        for slides in (False, True):
            if len(tokens()) > max(page, least) * size:
                now.accepts_fields(
                    at, without_page(now.operations[at], name, page * size, size, slides)
                )


def without_page(
    operation: Operation, name: str, start: int, size: int, slides: bool
) -> dict[str, Any]:
    """A text without one page. With ``slides``, an ``evicted`` beyond its start moves along."""
    tokens = texts_of(operation)[name]
    shorter = {name: text_like(operation, name, tokens[:start] + tokens[start + size :])}
    evicted = getattr(operation, "evicted", 0)
    return {**shorter, "evicted": evicted - size} if slides and evicted > start else shorter


def _full_instead(now: Shrinking, at: int) -> None:
    """Try an amount of FULL in place of the same amount of another component."""
    full, *others = [component.name.lower() for component in Component]
    for name in others:
        values = values_of(now.operations[at])
        if full in values and values.get(name):
            now.accepts_fields(at, {full: max(values[full], values[name]), name: 0})
