"""Systems that a process of its own can find by name, without torch."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from radixproof.impl.system import System, Target
from radixproof.model.config import Config

from ...radixproof import toy_cache

target = toy_cache.target
HERE = "tests.properties.campaigns.systems"


def broken() -> Target:
    return toy_cache.broken()


def slow() -> Target:
    """A broken one that takes its time to be built, so that shrinking takes very long."""

    def build(config: Config) -> System:
        time.sleep(0.3)
        return toy_cache.build_broken(config)

    return replace(toy_cache.target, build=build)


def endless() -> Target:
    """One whose first history does not end."""
    built = 0

    def build(config: Config) -> System:
        nonlocal built
        built += 1
        if built > 1:
            time.sleep(600)
        return toy_cache.build(config)

    return replace(toy_cache.target, build=build)


def deadly() -> Target:
    """One that ends the process once its search begins."""
    built = 0

    def build(config: Config) -> System:
        nonlocal built
        built += 1
        if built > 1:
            os._exit(7)
        return toy_cache.build(config)

    return replace(toy_cache.target, build=build)
