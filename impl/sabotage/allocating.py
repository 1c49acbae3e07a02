"""Sabotage of allocators: refusals, acceptances, pages that are lost or given twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from radixproof.impl.sabotage.planting import ALL, HOSTED, Strikes, kind
from radixproof.impl.sabotage.seams import around, gives
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.allocator import PageAllocator
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.config import Component as Part

NOTHING = (
    "An allocation gives all that was asked for, of every pool at once that it concerns, or"
    " nothing; and what is free can be allocated, unless the allocation was made to fail (17.4)."
)
OWNER = "A slot has one owner at a time: a free list, one node, or one request."


def _allocated(
    allocators: Mapping[Part, PageAllocator],
    wrong: Callable[[PageAllocator, Component, int, Callable[..., Any]], Any],
) -> None:
    """Let ``wrong`` stand in for the allocations of at least a page."""
    for part, allocator in allocators.items():
        component = Component(part)

        @around(allocator, "alloc")
        def alloc(
            original: Callable[..., Any],
            tokens: int,
            of: PageAllocator = allocator,
            component: Component = component,
        ) -> Any:
            return wrong(of, component, tokens, original) if tokens > 0 else original(tokens)


def _refused(allocators: Mapping[Part, PageAllocator], strikes: Strikes) -> None:
    def refuse(of: PageAllocator, one: Component, tokens: int, alloc: Callable[..., Any]) -> Any:
        return None if gives(of, tokens) and strikes(one) else alloc(tokens)

    _allocated(allocators, refuse)


def _accepted(allocators: Mapping[Part, PageAllocator], strikes: Strikes) -> None:
    def accept(of: PageAllocator, one: Component, tokens: int, alloc: Callable[..., Any]) -> Any:
        pages = tokens // of.page_size
        if of.available < tokens <= of.pages * of.page_size and strikes(one):
            return of._slots[range(1, pages + 1)].ravel()
        return alloc(tokens)

    _allocated(allocators, accept)


def _twice(allocators: Mapping[Part, PageAllocator], strikes: Strikes) -> None:
    def give(of: PageAllocator, one: Component, tokens: int, alloc: Callable[..., Any]) -> Any:
        slots = alloc(tokens)
        if slots is not None and strikes(one):
            of._free.insert(0, int(slots[0]) // of.page_size)
        return slots

    _allocated(allocators, give)


def _lost(allocators: Mapping[Part, PageAllocator], strikes: Strikes) -> None:
    for part, allocator in allocators.items():
        component = Component(part)

        @around(allocator, "free")
        def free(
            original: Callable[..., None],
            slots: Any,
            of: PageAllocator = allocator,
            component: Component = component,
        ) -> None:
            original(slots)
            if len(slots) and strikes(component):
                of._free.pop()


Tiers: TypeAlias = Callable[["Mapping[Part, PageAllocator]", Strikes], None]


def _on_each_tier(
    name: str, wrong: str, wrong_on_host: str, rule: str, sentence: str, plant: Tiers
) -> None:
    """Register a kind for the allocators of the device, and one for those of the host."""

    def on_device(cache: RadixCache, strikes: Strikes) -> None:
        plant(cache.memory.device_allocators, strikes)

    def on_host(cache: RadixCache, strikes: Strikes) -> None:
        plant(cache.memory.host, strikes)

    on_device.__name__, on_host.__name__ = name, f"host_{name}"
    kind(wrong, rule, sentence, ALL)(on_device)
    kind(wrong_on_host, rule, sentence, ALL, HOSTED)(on_host)


_on_each_tier(
    "refused_with_room",
    "an allocation is refused although there is room",
    "an allocation on the host is refused although there is room",
    "13.4",
    NOTHING,
    _refused,
)


@kind("an allocation succeeds without room", "13.4", NOTHING, ALL)
def accepted_without_room(cache: RadixCache, strikes: Strikes) -> None:
    _accepted(cache.memory.device_allocators, strikes)


_on_each_tier(
    "page_given_twice",
    "a page that was handed out stays on the free list",
    "a host page that was handed out stays on the free list",
    "1.3",
    OWNER,
    _twice,
)
_on_each_tier(
    "page_lost",
    "a page that is given back is lost",
    "a host page that is given back is lost",
    "1.3",
    OWNER,
    _lost,
)
