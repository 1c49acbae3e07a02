"""Sabotage of sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.sabotage.planting import ALL, Strikes, kind
from radixproof.impl.sabotage.seams import USING, after
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache

SIZES = (
    "Per component the cache counts evictable and protected tokens (MAMBA: states) on the device."
)


def _off(cache: RadixCache, strikes: Strikes, name: str) -> None:
    def miscount() -> None:
        for component in cache.config.components:
            sizes = getattr(cache.tree, name)
            if strikes(Component(component)):
                sizes[component] += cache.config.slots_per_page(component)

    after(cache, USING, miscount)


@kind("the evictable size is a page too large", "1.5", SIZES, ALL)
def evictable_a_page_off(cache: RadixCache, strikes: Strikes) -> None:
    _off(cache, strikes, "evictable")


@kind("the protected size is a page too large", "1.5", SIZES, ALL)
def protected_a_page_off(cache: RadixCache, strikes: Strikes) -> None:
    _off(cache, strikes, "protected")
