"""Systems that a process of its own can find by name, without torch."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import toy_adapter
import toy_bugs
from radixproof.impl.system import System, Target
from radixproof.model.config import Config

target = toy_adapter.target
HERE = "tests.properties.workers.systems"


def broken() -> Target:
    return toy_bugs.split


def slow() -> Target:
    """A broken one that takes its time to be built, so that shrinking takes very long."""

    def build(config: Config) -> System:
        time.sleep(0.15)
        return toy_bugs.split.build(config)

    return replace(toy_adapter.target, build=build)


def endless() -> Target:
    """One whose first history does not end."""
    built = 0

    def build(config: Config) -> System:
        nonlocal built
        built += 1
        if built > 1:
            time.sleep(600)
        return toy_adapter.target.build(config)

    return replace(toy_adapter.target, build=build)


def deadly() -> Target:
    """One that ends the process once its search begins."""
    built = 0

    def build(config: Config) -> System:
        nonlocal built
        built += 1
        if built > 1:
            os._exit(7)
        return toy_adapter.target.build(config)

    return replace(toy_adapter.target, build=build)


class Riddled(
    toy_bugs.SizeIsNotReduced,
    toy_bugs.ResetKeepsSlots,
    toy_bugs.SplitForgetsLocks,
    toy_bugs.EvictGoesOn,
    toy_bugs.DuplicatesAreLost,
    toy_bugs.MatchLeavesOutTheEnd,
):
    """It has several bugs, and shows the first at once."""


class Older(toy_bugs.SplitForgetsLocks, toy_bugs.MatchDoesNotRenew):
    """What is known of a release."""


class Newer(toy_bugs.EvictGoesOn, Older):
    """What comes of a change to it, by which it also comes to other states."""


def older() -> Target:
    return toy_bugs.with_bug(f"{HERE}:older", Older)


def newer() -> Target:
    return toy_bugs.with_bug(f"{HERE}:newer", Newer)


def riddled() -> Target:
    """One in which a search finds much."""
    return toy_bugs.with_bug(f"{HERE}:riddled", Riddled)
