"""Requests through SGLang's own functions: what they do to the tree, call by call."""

from __future__ import annotations

from radixproof.impl.carrying import Did
from radixproof.impl.observation import Event
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key

from .bench import (
    HOSTLESS,
    PROMPT,
    STATES,
    arrived,
    build,
    computed,
    did,
    equal,
    look,
)

KEY = Key(PROMPT)
LONG = Key(tuple(range(1, 9)))
PAGED = Config(page_size=2, device_pages=8, host_pages=0)
WINDOWED = Config(window=1, swa_pages=8, host_pages=0)
OLD_WINDOWS = {f"sglang==0.5.{release}" for release in ("12.post1", "13.post1", "14")}


def a_request_inserts_and_goes_on(release: Target) -> None:
    system, row = build(release, PAGED), list[int]()
    request = arrived(system, KEY)
    computed(system, request, KEY, row, 4)
    carriage = system.carry_on(request, True)
    steps = [one for one in did(carriage) if one is not Did.MATCH]  # which newer ones do without
    equal(steps, [Did.INSERT, Did.UNLOCK, Did.LOCK])
    insert = carriage.moments[0]
    equal((insert.length, insert.reused, list(insert.row)), (4, 0, row))
    equal(look(system).protected[0], 4)
    equal(system.match(KEY).slots, row)


def each_moment_is_shown_as_it_was(release: Target) -> None:
    system, row = build(release, PAGED), list[int]()
    request = arrived(system, KEY)
    computed(system, request, KEY, row, 4)
    carriage = system.carry_on(request, True)
    shown = []
    for number, _ in enumerate(carriage.moments):
        system.show(number)
        shown.append(look(system).protected[0])
    system.show(None)
    equal((shown[0], shown[-1]), (0, 4))
    announced = look(system).events
    system.end_request(request, True)
    equal(look(system).protected[0], 0)
    equal(not announced, True)  # it was heard with the moments


def what_was_announced_is_heard_once(release: Target) -> None:
    system, row = build(release, PAGED), list[int]()
    request = arrived(system, KEY)
    computed(system, request, KEY, row, 4)
    carriage = system.carry_on(request, True)
    heard: list[Event] = []
    for number, _ in enumerate(carriage.moments):
        system.show(number)
        if number:
            heard += look(system).events or ()
    system.show(None)
    heard += look(system).events or ()
    if look(system).events is not None:
        equal(len([block for event in heard for block in event.blocks]), 2)


def a_request_that_ends_frees_the_rest(release: Target) -> None:
    for insert, kept in ((True, 2), (False, 0)):
        system, row = build(release, PAGED), list[int]()
        request = arrived(system, KEY)
        computed(system, request, KEY, row, 3)
        did(system.end_request(request, insert))
        equal(system.available(Pool.FULL), 16 - kept)
        equal(look(system).evictable[0], kept)


def a_request_that_computed_nothing_gives_its_lock_back(release: Target) -> None:
    system = build(release, PAGED)
    carriage = system.end_request(arrived(system, KEY), True)
    equal(did(carriage), [Did.UNLOCK])
    equal(system.available(Pool.FULL), 16)


def windows_slide_before_the_insert(release: Target) -> None:
    """Since 0.5.15.post1 an insert is told so, and no page is kept beyond the window."""
    system, row = build(release, HOSTLESS), list[int]()
    request = arrived(system, LONG)
    computed(system, request, LONG, row, 8)
    (insert, *_) = system.carry_on(request, True).moments
    equal(insert.evicted, 2 if release.name in OLD_WINDOWS else 4)
    equal(insert.told, 0 if release.name in OLD_WINDOWS else insert.evicted)


def a_window_that_slides_while_decoding_is_freed(release: Target) -> None:
    system, row = build(release, HOSTLESS), list[int]()
    request = arrived(system, LONG)
    computed(system, request, LONG, row, 8)
    before = system.available(Pool.SWA)
    slid = system.slide(request)
    equal(system.available(Pool.SWA), before + slid)
    equal(slid > 0, True)


def the_rest_of_a_page_has_no_entry_in_the_map(release: Target) -> None:
    system, row = build(release, HOSTLESS), list[int]()
    request = arrived(system, KEY)
    computed(system, request, KEY, row, 3)
    equal([peer > 0 for peer in system.swa_of(row)], [True, True, True, False])
    computed(system, request, KEY, row, 4)
    equal([peer > 0 for peer in system.swa_of(row)], [True] * 4)


def a_state_is_handed_over_and_another_is_kept(release: Target) -> None:
    system, row = build(release, STATES), list[int]()
    state = system.allocate_state()
    request = arrived(system, KEY, state)
    computed(system, request, KEY, row, 4)
    carriage = system.carry_on(request, True)
    insert = next(one for one in carriage.moments if one.did is Did.INSERT)
    equal((insert.taken, insert.state == state), (True, False))
    equal(system.available(Pool.MAMBA), 1)


def a_request_without_room_for_a_state_does_not_go_on(release: Target) -> None:
    system, row = build(release, STATES), list[int]()
    state = system.allocate_state()
    request = arrived(system, KEY, state)
    computed(system, request, KEY, row, 4)
    held = [system.allocate_state() for _ in range(2)]
    carriage = system.carry_on(request, True)
    equal((carriage.refused, carriage.error), (True, None))
    equal([one.did for one in carriage.moments], [Did.EVICT])
    equal(None in held, False)


def pages_of_states_are_not_carried(release: Target) -> None:
    system = build(release, Config(page_size=2, mamba_states=3, host_pages=0))
    equal(arrived(system, KEY, system.allocate_state()), None)


def an_early_release_is_remembered(release: Target) -> None:
    if release.name in {"sglang==0.5.12.post1", "sglang==0.5.13.post1"}:
        return
    system, row = build(release, WINDOWED), list[int]()
    request = arrived(system, KEY)
    computed(system, request, KEY, row, 4)
    system.carry_on(request, True)
    system.release_window(request)
    equal(look(system).protected[1], 0)
    system.end_request(request, True)
    equal(look(system).protected, (0, 0, 0))
