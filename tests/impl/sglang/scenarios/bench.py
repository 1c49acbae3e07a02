"""What the scenarios are written with: configurations, and operations of a few calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from radixproof.impl.carrying import Carriage, Did, Tracked
from radixproof.impl.observation import Event, NodeView, Observation
from radixproof.impl.revealing import Ordering
from radixproof.impl.streams import Access
from radixproof.impl.system import Complete, Fetched, System, Target
from radixproof.model.config import HOST, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.accepting.methods import complete

OLD = "0.5.12.post1"
ENDLESS = ("0.5.13.post1", "0.5.14", "0.5.15.post1", "0.5.16")
"""Where an eviction under write_back may never end."""
RELEASES = (
    *(OLD, "0.5.13.post1", "0.5.14", "0.5.15.post1", "0.5.16", "0.5.17", "0.5.18", "0.5.19"),
    *("0.5.20", "0.5.21", "0.5.22", "0.5.23"),
)
RUST = ("0.5.19+rust", "0.5.20+rust", "0.5.21+rust", "0.5.22+rust", "0.5.23+rust")
"""Releases with their other core."""
FULL_ONLY = Config(page_size=2, device_pages=8, host_pages=16)
SWA = Config(page_size=1, window=1, device_pages=8, swa_pages=8, host_pages=16, swa_host_pages=16)
HOSTLESS = Config(page_size=2, window=2, device_pages=8, swa_pages=8, host_pages=0)
SWA_PAGED = Config(
    page_size=4, window=6, device_pages=6, swa_pages=5, host_pages=12, swa_host_pages=12
)
STATES = Config(mamba_states=3, mamba_host_states=6)
STATES_AND_SWA = Config(
    page_size=2, window=4, swa_pages=8, swa_host_pages=16, mamba_states=3, mamba_host_states=6
)
STATES_HOSTLESS = Config(page_size=2, host_pages=0, mamba_states=3)
PROMPT = (1, 2, 3, 4)


def equal(actual: Any, expected: Any) -> None:
    assert actual == expected, f"{actual!r} is not {expected!r}"


def build(release: Target, config: Config) -> Complete:
    return complete(release.build(config), release.scope)


def look(system: System) -> Any:
    """A whole observation. SGLang shows all that is asked for here: nothing of it is None."""
    return system.observe(True)


def put(
    system: Complete,
    tokens: tuple[int, ...],
    namespace: str = "",
    evicted: int = 0,
    priority: int = 0,
) -> list[int]:
    """Insert a prompt of which nothing is reused; returns the slots it brought.

    The tag of position i is 100 * i + its token.
    """
    slots = system.allocate(len(tokens))
    assert slots is not None, "no room"
    system.write(slots, tags(tokens))
    system.free_swa(slots[:evicted])
    system.insert(Key(tokens, namespace), slots, 0, evicted, None, priority)
    return slots


def with_states(release: Target, hosted: bool = False) -> Iterator[Complete]:
    """A cache with MAMBA of each kind that the release can be built with."""
    for config in (STATES, STATES_AND_SWA, STATES_HOSTLESS):
        if not release.scope.refuses(config) and (config.hosted or not hosted):
            yield build(release, config)


def put_with_state(
    system: Complete, tokens: tuple[int, ...] = PROMPT, tag: int = 14
) -> tuple[int, bool]:
    """Insert a prompt with its state; returns the state's slot, and whether it was taken."""
    slots, state = system.allocate(len(tokens)), system.allocate_state()
    assert slots is not None, "no room"
    assert state is not None, "no room for a state"
    system.write(slots, tags(tokens))
    system.write_state(state, tag)
    return state, system.insert(Key(tokens), slots, 0, 0, state).taken


def tags(tokens: tuple[int, ...]) -> list[int]:
    return [100 * position + token for position, token in enumerate(tokens)]


def submit(system: Complete) -> None:
    """Newer releases hold backups back until a poll, and then submit them as one copy."""
    equal(system.writing_check(False), 0)


def moved(system: Ordering, by: str) -> dict[Pool, bool]:
    """The device pools that copies of one direction have moved from or to, and whether they wrote
    there: on the host they did the contrary.
    """
    entries = [one for one in system.ordering() if isinstance(one, Access) and one.by == by]
    found = {one.pool: one.writes for one in entries}
    equal([one for one in entries if one.writes != found[one.pool]], [])
    device = {pool: writes for pool, writes in found.items() if not pool.on_host}
    host = {HOST[pool.component]: not writes for pool, writes in device.items()}
    equal(found, {**device, **host})
    return device


def settle(system: Complete) -> None:
    submit(system)
    system.run_copies(99)
    system.writing_check(False)


def fetch(system: Complete, tokens: tuple[int, ...]) -> int:
    """Fetch what no tier has; returns how much of it the tree keeps."""
    start = system.match(Key(tokens)).best
    slots = system.allocate_host(Pool.FULL_HOST, len(tokens) - start)
    assert slots is not None
    system.write_host(Pool.FULL_HOST, slots, tags(tokens)[start:])
    return system.insert_host(Key(tokens), Fetched(slots), start)


def only(observation: Observation) -> NodeView:
    (node,) = observation.nodes
    return node


def to_host(system: Complete, tokens: tuple[int, ...]) -> None:
    """Insert a prompt and demote it."""
    put(system, tokens)
    settle(system)
    system.evict(len(tokens), 0, 0)


def heard(system: Complete) -> list[Event]:
    return list(look(system).events)


def said(system: Complete) -> list[tuple[str, bool, int]]:
    """What happened, on which tier, and to how many pages."""
    return [(event.kind, event.on_host, len(event.blocks)) for event in heard(system)]


def patched(release: Target, patch: Callable[[Any], None]) -> Callable[[Config], Any]:
    """Builds caches of a release whose tree is patched."""

    def build(config: Config) -> Any:
        system: Any = release.build(config)
        patch(system._parts.tree)
        return system

    return build


def without(kind: str) -> Callable[[Any], None]:
    """Lets a tree keep its events of one kind to itself."""

    def deaf(tree: Any) -> None:
        take = tree.take_events
        tree.take_events = lambda: [
            one for one in take() if not type(one).__name__.startswith(kind)
        ]

    return deaf


def loses_states(tree: Any) -> None:
    """What requests have of states is never freed."""
    tree.req_to_token_pool.free_mamba_cache = lambda *_, **__: None


def gives_back_twice(tree: Any) -> None:
    """A lock does not know that its state was given back before."""
    give_back = tree.dec_lock_ref

    def forgetful(node: Any, params: Any, **named: Any) -> Any:
        if all(component.name != "FULL" for component in params.skipped_lock_components):
            params = replace(params, skipped_lock_components=())
        return give_back(node, params, **named)

    tree.dec_lock_ref = forgetful


def mixes_up(release: Target) -> Callable[[Config], Any]:
    """Builds caches that keep one state and fill the other."""

    def build(config: Config) -> Any:
        system: Any = release.build(config)
        track = system.track
        system.track = lambda request, units: Tracked(
            next(slot for slot in request.tracked() if slot != track(request, units).slot)
        )
        return system

    return build


def arrived(system: Complete, key: Key, state: int | None = None) -> Any:
    found = system.match(key)
    return system.begin_request(key, found.slots, system.lock(found.anchor), state, 0)


def computed(system: Complete, request: Any, key: Key, row: list[int], units: int) -> Carriage:
    """Grow the row to so many units, in whole pages; returns how the request was admitted."""
    need = -(-units // 2) * 2 - len(row)
    if need > 0:
        row += system.allocate(need) or []
    carriage = system.admit(request)
    system.compute(request, key, row, units)
    return carriage


def did(carriage: Carriage) -> list[Did]:
    equal(carriage.error, None)
    return [moment.did for moment in carriage.moments]
