"""Histories from the corpus with something changed in them, for tests that feed them to the reader
and to the systems.

What comes out is often still a history: a number larger, an operation doubled, a field that was not
there. A number determines it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from radixproof.model.config import Config
from radixproof.properties.histories.corpus import FOLDER
from radixproof.properties.histories.schema import FIELDS, KINDS, NAMED, names_of

Document = dict[str, Any]
NUMBERS = (0, 1, 2, 3, 5, 7, 8, 64, 1_000, 2**31 - 1)
"""Such as may stand in a history, the largest last."""
ODD: tuple[Any, ...] = (-1, 2**31, 10**9, 10**30, 1.5, 1.0, True, None, "", "a b", "\0", [], {})
ODD += ([1, [2]], {"op": "reset"}, float("nan"), float("inf"), "\ud800", "x" * 5_000, "é", "9" * 19)
NAMES = ("r1", "h2", "q1", "é", "_")


def texts() -> list[str]:
    """What is stored in the corpus, as text."""
    return [file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.json"))]


def mutated(files: list[str], number: int) -> str:
    """A file of the corpus with one to four changes."""
    rng = Random(number)
    document: Document = json.loads(rng.choice(files))
    for _ in range(rng.randint(1, 4)):
        rng.choice(CHANGES)(document, rng)
    if rng.random() < 0.2:
        _something_odd(document, rng)
    if rng.random() < 0.1:
        rng.choice(DAMAGES)(document, rng)
    return json.dumps(document)


# -- changes that mostly leave a history -----------------------------------------------------------


def _number(document: Document, rng: Random) -> None:
    """A number somewhere in an operation becomes another one."""
    step = rng.choice(document["operations"])
    numbers = [name for name, value in step.items() if type(value) is int]
    if numbers:
        step[rng.choice(numbers)] = rng.choice(NUMBERS)


def _field(document: Document, rng: Random) -> None:
    """A field of an operation gets a value of its kind."""
    step = rng.choice(document["operations"])
    fields = FIELDS[KINDS[step["op"]]]
    if fields:
        name = rng.choice(list(fields))
        step[name] = _value(fields[name][0], rng, document["config"].get("page_size", 1))


def _config(document: Document, rng: Random) -> None:
    """A field of the configuration gets a value of its kind; pools stay pools."""
    config = document["config"]
    fields = FIELDS[Config]
    name = rng.choice(list(fields))
    value = _value(fields[name][0], rng, 1)
    if name == "ranks":
        value = rng.choice((1, 2, 3, 64))
    elif name == "bigram" and config.get("mamba_states"):
        return
    elif name.endswith(("pages", "states")):
        value = rng.choice((1, 2, 3, 9, 50)) if config.get(name) else config.get(name, 0)
    elif name == "window" and config.get("window") is None:
        value = None
    config[name] = value or fields[name][1]


def _double(document: Document, rng: Random) -> None:
    """Some operations are done again, now and then often."""
    steps = document["operations"]
    start = rng.randrange(len(steps))
    steps[start:start] = steps[start : start + 3] * rng.choice((1, 1, 1, 2, 20))


def _drop(document: Document, rng: Random) -> None:
    """An operation is left out, but not the last one that is there."""
    if len(document["operations"]) > 1:
        document["operations"].pop(rng.randrange(len(document["operations"])))


def _shuffle(document: Document, rng: Random) -> None:
    rng.shuffle(document["operations"])


def _new(document: Document, rng: Random) -> None:
    """An operation of any kind, with anything in its fields."""
    kind = rng.choice(list(KINDS))
    size = document["config"].get("page_size", 1)
    values = {name: _value(hint, rng, size) for name, (hint, _) in FIELDS[KINDS[kind]].items()}
    step = {"op": kind} | values
    document["operations"].insert(rng.randrange(len(document["operations"]) + 1), step)


def _long(document: Document, rng: Random) -> None:
    """A prompt becomes much longer."""
    prompts = [step for step in document["operations"] if isinstance(step.get("tokens"), list)]
    if prompts:
        step = rng.choice(prompts)
        step["tokens"] = step["tokens"] + list(range(rng.choice((5, 50, 500))))


def _value(hint: Any, rng: Random, page_size: int) -> Any:
    """A value that may stand in a field of this type."""
    if hint in NAMED:
        return rng.choice(names_of(hint))
    if hint is bool:
        return rng.random() < 0.5
    if hint is str:
        return rng.choice(NAMES)
    if hint == tuple[int, ...]:
        return [rng.choice(NUMBERS) for _ in range(rng.randint(0, 6))]
    return rng.choice(NUMBERS[:-1]) * page_size if rng.random() < 0.8 else NUMBERS[-1]


CHANGES: tuple[Callable[[Document, Random], None], ...] = (
    _number,
    _field,
    _config,
    _double,
    _drop,
    _shuffle,
    _new,
    _long,
)


# -- changes that mostly do not --------------------------------------------------------------------


def _something_odd(document: Document, rng: Random) -> None:
    """A value somewhere becomes one that belongs nowhere, or only elsewhere."""
    places = [document, document["config"], *document["operations"]]
    place = rng.choice(places[:2] if rng.random() < 0.3 else places)
    if place and isinstance(place, dict):
        place[rng.choice(list(place))] = rng.choice(ODD)


def _no_such_field(document: Document, rng: Random) -> None:
    place = rng.choice((document, document["config"], document.get("origin", document)))
    if isinstance(place, dict):
        place[rng.choice(("window", "system", "order", "key", "a - at `$.b"))] = rng.choice(ODD)


def _missing_field(document: Document, rng: Random) -> None:
    del document[rng.choice(list(document))]


def _other_top_level(document: Document, rng: Random) -> None:
    document["radixproof"] = rng.choice((1, 3, "2", None, 2.0))


DAMAGES: tuple[Callable[[Document, Random], None], ...] = (
    _no_such_field,
    _missing_field,
    _other_top_level,
)
