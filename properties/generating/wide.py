"""Now and then something wider than what finds most bugs: windows of many pages, large pages, more
ranks, and long prompts of more kinds of tokens, in more namespaces (semantics 17.6).

Whether a history is wide, and in what, follows from its configuration as it was drawn, and takes
nothing from the choices that make the others: most histories of a seed are what they would be if
there were no wide ones. In the same way it is decided whether what is fetched takes time, how often
states are tracked, and which requests leave less than they computed.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import NamedTuple

from radixproof.impl.scope import Scope
from radixproof.model.config import Config

SHARE = 0.1
"""Of the configurations, and of the alphabets."""
PREFETCHES = 0.5
"""Of the configurations that can have them: those whose histories have prefetches."""
TRACKING = 0.4
"""Of the configurations whose requests have tracked states: those that track less often than at the
end of each page."""
LAZILY = 0.3
"""Of the configurations whose requests have tracked states: those that take the second one late."""
SCARCE = 0.5
"""Of the latter, where they give states back for want of room: those that have few."""
FEW_STATES = (3, 5)
"""For a request, or two, and the prefix that they have in common."""
PROMPT_ONLY = 0.2
"""Of the requests that finish: those whose answers are not to be kept."""
PAST_STOP = 0.1
"""Of the requests that finish: those that have generated tokens beyond their stop."""
LARGE_PAGES = (5, 6, 8, 16)
MANY_RANKS = (3, 3, 4)
MOST_PAGES = 14
"""On the device, where it is not wider."""
MORE_ROOM = 8
"""Pages that a pool has more where prompts, or windows, are longer."""


class Alphabet(NamedTuple):
    """What prompts are made of."""

    pages: int
    """The longest has so many."""
    tail: int
    """Pages that one may have more than what it is made from: fewer than so many."""
    tokens: tuple[int, ...]
    """To choose from: a power of two."""
    namespaces: tuple[str, ...]
    """To choose from; the same one several times comes more often."""


NARROW = Alphabet(6, 5, (1, 2), ("", "", "", "", "", "", "", "a"))
WIDE = Alphabet(16, 17, (1, 0, 11, 65537), ("", "", "a", "a", "a1", "A", "adapter_1", "adapter_2"))
"""A token that counts as false, some that are another one in fewer bytes, tokens and namespaces
whose texts, run together, are those of others, and names that differ at their ends alone.
"""


def alphabet(config: Config) -> Alphabet:
    """What the prompts of a history with this configuration are made of: long ones where there is
    room for them.
    """
    if config.device_pages > MOST_PAGES:
        return WIDE
    return WIDE if Random(f"alphabet {config!r}").random() < SHARE else NARROW


def prompt_only(config: Config, request: str) -> bool:
    """Whether a request of this name leaves no more than its prompt when it finishes."""
    return Random(f"prompt only {request} {config!r}").random() < PROMPT_ONLY


def past_stop(config: Config, request: str) -> int:
    """So many tokens of a request of this name are not to be kept when it finishes."""
    random = Random(f"past stop {request} {config!r}")
    return random.randint(1, 2 * config.page_size) if random.random() < PAST_STOP else 0


def in_parts(config: Config) -> bool:
    """Whether what is fetched from storage comes while other operations go on, in a history with
    this configuration.
    """
    return Random(f"prefetches {config!r}").random() < PREFETCHES


def widened(narrow: Config, scope: Scope) -> Config:
    """One configuration in ten is wider than it was drawn, if that is within the scope."""
    rng = Random(f"wide {narrow!r}")
    if rng.random() >= SHARE:
        return narrow
    wide = rng.choice((_long, _long, _large, _replicated))(narrow, rng)
    return narrow if scope.refuses(wide) else wide


def tracked(narrow: Config, scope: Scope) -> Config:
    """Some configurations have more than a page between one tracked state and the next, and some
    take the second one only when it is needed.
    """
    if not (scope.carries_requests and narrow.mamba_states and narrow.page_size > 1):
        return narrow
    rng = Random(f"tracking {narrow!r}")
    every = rng.choice((2, 2, 3)) if rng.random() < TRACKING else 1
    shape = replace(narrow, track_every=every)
    lazy = replace(shape, track_lazily=rng.random() < LAZILY)
    if lazy.track_lazily and scope.gives_states_back and rng.random() < SCARCE:
        lazy = replace(lazy, mamba_states=rng.randint(*FEW_STATES))
    return shape if scope.refuses(lazy) else lazy


def _long(narrow: Config, rng: Random) -> Config:
    """Room for long prompts; and a window of many pages, or of many and a part of one."""
    size = narrow.page_size
    wide = replace(narrow, device_pages=narrow.device_pages + MORE_ROOM)
    if narrow.window is None:
        return wide
    window = rng.randint(3 * size + 2, 7 * size)
    return replace(wide, window=window, swa_pages=-(-window // size) + rng.randint(0, MORE_ROOM))


def _large(narrow: Config, rng: Random) -> Config:
    """Pages of many tokens, and a window that is shorter than one, or a little longer."""
    size = rng.choice(LARGE_PAGES)
    window = None if narrow.window is None else rng.randint(1, 2 * size)
    return replace(narrow, page_size=size, window=window)


def _replicated(narrow: Config, rng: Random) -> Config:
    return replace(narrow, ranks=rng.choice(MANY_RANKS))
