"""What the methods of a system may return: per method, in words and as a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from radixproof.impl.system import Insertion, Lookup
from radixproof.model.key import Key


class Form(NamedTuple):
    """What an answer must be; ``fits`` is given the answer and the arguments of the call."""

    words: str
    fits: Callable[..., bool]


LONGEST = 120
"""Characters of a value that are shown."""


def spelled(value: object) -> str:
    """A value as it is written in Python, if that is short."""
    if isinstance(value, Lookup):
        return f"Lookup(device={value.device!r}, best={value.best!r}, slots={value.slots!r})"
    text = str(value) if isinstance(value, Key) else " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


_INT = frozenset({int})


def is_number(value: object) -> bool:
    """A plain int: not a bool, and not a number of numpy or torch."""
    return type(value) is int


def are_numbers(values: object) -> bool:
    return isinstance(values, list | tuple) and _INT.issuperset(map(type, values))


def _is_count(value: object, *_: object) -> bool:
    return type(value) is int and value >= 0


def _are_counts(values: object, *_: object) -> bool:
    return isinstance(values, tuple) and len(values) == 3 and all(map(_is_count, values))


def _is_lookup(found: object, *_: object) -> bool:
    return (
        isinstance(found, Lookup)
        and are_numbers((found.device, found.best))
        and are_numbers(found.slots)
        and len(found.slots) == found.device <= found.best
        and (found.host is None or _are_counts(found.host))
    )


def _are_new_slots(slots: object, tokens: int) -> bool:
    return slots is None or (
        isinstance(slots, list)
        and are_numbers(slots)
        and len(set(slots)) == len(slots) == tokens
        and min(slots, default=0) >= 0
    )


def _is_insertion(made: object, *_: object) -> bool:
    return isinstance(made, Insertion) and _is_count(made.reused) and isinstance(made.taken, bool)


def _is_slot(slot: object, *_: object) -> bool:
    return slot is None or _is_count(slot)


def _one_each(numbers: object, *arguments: Any) -> bool:
    """One number for each of the slots, which are the last argument."""
    asked: Sequence[int] = arguments[-1]
    return are_numbers(numbers) and len(numbers) == len(asked)  # type: ignore[arg-type]


_COUNT = Form("how many, as a plain int", _is_count)
_NEW_SLOTS = Form(
    "a list of as many slots as it was asked for, each a plain int and there once, or None if "
    "there is no room",
    _are_new_slots,
)
_SLOT = Form("a slot as a plain int, or None if there is no room", _is_slot)

ANSWERS: Mapping[str, Form] = {
    "match": Form(
        "a radixproof.Lookup with plain ints: one slot for each of the `device` tokens, and a "
        "`best` of at least as many",
        _is_lookup,
    ),
    "allocate": _NEW_SLOTS,
    "available": _COUNT,
    "read": Form("a list with the tag of each slot, as plain ints, -1 for none", _one_each),
    "insert": Form(
        "a radixproof.Insertion, whose first field says how many tokens of the key were there "
        "before, as a plain int",
        _is_insertion,
    ),
    "evict": Form(
        "how many tokens it freed of FULL, SWA and MAMBA, as three plain ints: (2, 0, 0)",
        _are_counts,
    ),
    "swa_of": Form("a list with the SWA peer of each slot, as plain ints, 0 for none", _one_each),
    "allocate_state": _SLOT,
    "copy_state": _SLOT,
    "path_slots": Form("a list of slots, as plain ints", lambda slots, *_: are_numbers(slots)),
    "evict_host": _COUNT,
    "load_back": _COUNT,
    "run_copies": _COUNT,
    "writing_check": _COUNT,
    "loading_check": _COUNT,
    "in_flight": _COUNT,
    "insert_fetched": _COUNT,
    "copied": _COUNT,
    "allocate_host": _NEW_SLOTS,
    "insert_host": _COUNT,
}
"""Methods that are not here may return anything."""
