"""Command lines made from the parser itself: its commands, their options, and values that fit, or
not. A number determines each, and a new option is tried without a change here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

NUMBERS = ("0", "1", "2", "3", "-1", "1e9", "0.01", "nan", "inf", "1" * 18, "9" * 5_000, "٣", "²")
TEXTS = ("", "-", "--", "a b", "é", "\udcff", "x" * 5_000, "%s", "{}", "../..", "~", "\n")
SYSTEMS: tuple[str, ...] = (
    "radix",
    "fault:ack-keeps-lock",
    "fault:nothing",
    "fault:",
    "sglang",
    "sglang==0.5.19",
)
SYSTEMS += ("sglang==", "sglang==1", "sglang==0.5.13;x", "vllm==1", "json:dumps", "json:nothing")
SYSTEMS += ("no_such_module_here:x", "a.b:c.d", ":", "radix:", "radix:x", "sglang==" + "9" * 5_000)
WORDS = ("baseline", "soak", "machine", "ack-keeps-lock", "dev", "ci", "builtin", "weekly")


def command_line(parser: argparse.ArgumentParser, files: Sequence[Path], number: int) -> list[str]:
    """Arguments for a parser, mostly such that it takes them."""
    rng = Random(number)
    words = list(_words(parser, files, rng))
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        _damage(words, files, rng)
    return words


def _words(parser: argparse.ArgumentParser, files: Sequence[Path], rng: Random) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            if action.required or rng.random() < 0.8:
                name = rng.choice(list(action.choices))
                yield name
                yield from _words(action.choices[name], files, rng)
        elif not action.option_strings:
            yield from _values(action, files, rng)
        elif action.required or rng.random() < (
            0.01 if action.nargs == 0 and not action.const else 0.25
        ):
            yield rng.choice(action.option_strings)
            yield from _values(action, files, rng)


def _values(action: argparse.Action, files: Sequence[Path], rng: Random) -> Iterator[str]:
    """As many as the action takes, or nearly."""
    counts = {None: (1,), "?": (0, 1), "*": (0, 1, 2), "+": (1, 2, 3)}
    taken = (action.nargs,) if isinstance(action.nargs, int) else counts[action.nargs]
    for _ in range(rng.choice(taken)):
        yield _value(action, files, rng)


def _value(action: argparse.Action, files: Sequence[Path], rng: Random) -> str:
    if action.choices and rng.random() < 0.9:
        return str(rng.choice(list(action.choices)))
    if rng.random() < 0.1:
        return _anything(files, rng)
    if action.type is not None and action.type is not Path:
        return rng.choice(NUMBERS[:4] if rng.random() < 0.7 else NUMBERS)
    named = f"{action.dest} {action.metavar}".lower()
    if action.type is Path or "file" in named or "folder" in named:
        return str(rng.choice(files))
    return rng.choice(SYSTEMS if "sys" in named or "sglang" in named else WORDS)


def _anything(files: Sequence[Path], rng: Random) -> str:
    return rng.choice((*NUMBERS, *TEXTS, *SYSTEMS, *WORDS, *map(str, files)))


def _damage(words: list[str], files: Sequence[Path], rng: Random) -> None:
    """A word is left out, doubled, moved, cut, or put in."""
    at = rng.randrange(len(words) + 1)
    match rng.randrange(5):
        case 0:
            del words[at : at + 1]
        case 1:
            words[at:at] = words[at : at + 2]
        case 2:
            rng.shuffle(words)
        case 3:
            words[at : at + 1] = [word[: rng.randrange(9)] for word in words[at : at + 1]]
        case _:
            words.insert(at, rng.choice(("--no-such-option", "-x", _anything(files, rng))))
