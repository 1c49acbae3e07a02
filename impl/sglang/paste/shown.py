"""What assertions are made of: lines, what was seen of the tree, and names in messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from radixproof.impl.observation import ROOT, NodeView
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key, Units
from radixproof.model.verdict import Witness

Tree: TypeAlias = Sequence[NodeView]

_SHORT = re.compile(r"[\w:\[\] ]{,24}")
"""Prompts that a message repeats."""

HIDDEN = "it shows in the nodes alone, and this core does not show its nodes"


class Unwritable(Exception):
    """No stand-alone test can be written for a finding; the message says why."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """How a test shows a breach: lines before its last step, and lines after it."""

    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    filled: Component | None = None
    """The component whose content is asserted."""
    within: str = ""
    """The header of the block that the last step is in."""
    announced: bool = False
    """Events are asserted."""


class Found(NamedTuple):
    """What a match of the witness's prefix finds: tokens on the device, and on either tier."""

    device: int
    best: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The tree before and after the last step, and what matches found there, if any were made."""

    before: Tree = ()
    after: Tree = ()
    found_before: Found | None = None
    found_after: Found | None = None
    inserted: Key | None = None
    """What the last step inserts, if it is an insert or that of a request."""


NOTHING_SEEN = Seen()


def paths(tree: Tree) -> list[tuple[NodeView, Units]]:
    """Each node of a tree with the units from the root to its end."""
    whole: dict[int, Units] = {ROOT: ()}
    for view in tree:
        whole[view.id] = (*whole.get(view.parent, ()), *view.segment)
    return [(view, whole[view.id]) for view in tree]


def ends_in(prefix: Key, view: NodeView, path: Units, config: Config) -> bool:
    """Whether it is this node that has the last page of a prefix."""
    units = prefix.units(config.bigram)
    end, start = config.floor(len(units)), len(path) - len(view.segment)
    here = view.namespace == prefix.namespace and path[:end] == units[:end]
    return here and start < end <= len(path)


def length_of(witness: Witness, config: Config) -> int:
    return len(witness.prefix.units(config.bigram))


def name_of(prefix: Key) -> str:
    return str(prefix) if _SHORT.fullmatch(str(prefix)) else "the prefix"


def tier_of(pool: Pool) -> str:
    return "host" if pool.on_host else "device"
