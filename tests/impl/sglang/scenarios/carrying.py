"""Requests through SGLang's own functions: what they do to the tree, call by call."""

from __future__ import annotations

from dataclasses import replace

from radixproof.impl.carrying import Did, Tracked
from radixproof.impl.observation import Event
from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    Evict,
    Finish,
    Match,
    Operation,
    Prefill,
)
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.outcomes import Skipped
from radixproof.properties.performing.step import ReleaseState
from radixproof.properties.running.run import Run

from .bench import (
    HOSTLESS,
    OLD,
    PROMPT,
    STATES,
    STATES_AND_SWA,
    arrived,
    build,
    computed,
    did,
    equal,
    gives_back_twice,
    look,
    loses_states,
    mixes_up,
    patched,
    put,
)

KEY = Key(PROMPT)
LONG = Key(tuple(range(1, 9)))
PAGED = Config(page_size=2, device_pages=8, host_pages=0)
TRACKED = Config(page_size=2, device_pages=8, mamba_states=5, host_pages=0)
SCARCE = replace(TRACKED, mamba_states=3, track_lazily=True)
SCARCE_AND_SWA = replace(SCARCE, window=4, swa_pages=8)
SHARED = replace(SCARCE, mamba_states=5)
SHARED_AND_SWA = replace(SHARED, window=4, swa_pages=8)
FULL = Config(host_pages=0)
WINDOWED = Config(window=1, swa_pages=8, host_pages=0)
BEFORE_LACKING = {
    f"sglang==0.5.{release}" for release in ("12.post1", "13.post1", "14", "15.post1", "16")
}
WITHOUT_ANSWERS = {"sglang==0.5.22", "sglang==0.5.23"}
KEY_AND_MORE = Key((*PROMPT, 15, 16))
PREFIX: tuple[Operation, ...] = (Arrive("p", KEY), Prefill("p", 4), Finish("p"))
SHARING = (*PREFIX, Arrive("q", LONG), Arrive("r", KEY_AND_MORE), Prefill("r", 1))
"""Two requests that share a prefix with its state, and nothing is free for another one."""
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


def room_is_made_for_what_is_lacking(release: Target) -> None:
    """Before 0.5.17 for all that is needed, where there is no SWA."""
    for config, all_of_it in ((FULL, release.name in BEFORE_LACKING), (WINDOWED, False)):
        system = build(release, config)
        request = arrived(system, KEY)
        equal(system.make_room(request, 3).moments, [])
        for tokens in ((11,), (12,), (13,), (14,), (15,), (16,)):
            put(system, tokens)
        (evict,) = system.make_room(request, 3).moments
        equal((evict.did, evict.asked[0]), (Did.EVICT, 3 if all_of_it else 1))
        equal(system.available(Pool.FULL), 5 if all_of_it else 3)
        equal(did(system.end_request(request, False)), [Did.UNLOCK])


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


def drafted_tokens_have_entries_in_the_map_until_the_page_is_freed(release: Target) -> None:
    """Before 0.5.14 those that are not freed by their own slots stay."""
    system, key = build(release, replace(HOSTLESS, bigram=True)), Key((1,))
    request = arrived(system, key)
    row = system.allocate(2) or []
    computed(system, request, key, row, 0)
    equal([peer > 0 for peer in system.swa_of(row)], [True, True])
    system.end_request(request, True)
    equal(system.available(Pool.SWA), 16)
    stale = release.name in {"sglang==0.5.12.post1", "sglang==0.5.13.post1"}
    equal([peer > 0 for peer in system.swa_of(row)], [False, stale])


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
    equal((carriage.refused, carriage.crashed, carriage.runs), (1, False, STATES.mamba_states // 3))
    equal([one.did for one in carriage.moments], [Did.EVICT])
    equal(None in held, False)


def with_pages_a_request_has_two_more_states(release: Target) -> None:
    system, row = build(release, TRACKED), list[int]()
    request = arrived(system, KEY, system.allocate_state())
    equal(system.available(Pool.MAMBA), 4)
    carriage = computed(system, request, KEY, row, 4)
    equal((len(carriage.states), system.available(Pool.MAMBA)), (2, 2))
    equal(computed(system, request, KEY, row, 4).states, carriage.states)  # and no more
    did(system.end_request(request, False))
    equal(system.available(Pool.MAMBA), 5)


def what_was_tracked_is_handed_over_and_made_up_for(release: Target) -> None:
    system, row = build(release, TRACKED), list[int]()
    request = arrived(system, KEY, system.allocate_state())
    computed(system, request, KEY, row, 4)
    tracked = system.track(request, 4).slot
    carriage = system.carry_on(request, True)
    (insert,) = (one for one in carriage.moments if one.did is Did.INSERT)
    copied = release.name == f"sglang=={OLD}"  # and that is handed over
    equal((insert.length, insert.state == tracked, insert.taken), (4, not copied, True))
    equal((tracked in insert.states, len(insert.states)), (copied, 2))
    equal(set(carriage.states), set(insert.states))


def what_was_tracked_last_is_kept_at_the_end(release: Target) -> None:
    system, row = build(release, TRACKED), list[int]()
    request = arrived(system, LONG, system.allocate_state())
    tracked = []
    for length in (4, 6):
        computed(system, request, LONG, row, length)
        tracked.append(system.track(request, length).slot)
    equal(len({*tracked}), 2)
    computed(system, request, LONG, row, 7)
    insert, *_ = system.end_request(request, True).moments
    equal((insert.length, insert.state, insert.taken), (6, tracked[-1], True))
    equal(system.available(Pool.MAMBA), 4)
    equal(look(system).evictable, (6, 0, 1))


def a_longer_interval_leaves_out_pages(release: Target) -> None:
    system, row = build(release, replace(TRACKED, track_every=2)), list[int]()
    request = arrived(system, LONG, system.allocate_state())
    computed(system, request, LONG, row, 6)
    equal(system.due(request, 6), [4])
    system.track(request, 4)
    insert, *_ = (one for one in system.carry_on(request, False).moments if one.did is Did.INSERT)
    equal((insert.length, insert.taken), (4, True))
    computed(system, request, LONG, row, 8)
    equal(system.due(request, 8), [])
    equal(did(system.carry_on(request, True)), [])


def what_is_generated_is_tracked_at_each_interval(release: Target) -> None:
    system, row = build(release, replace(TRACKED, track_every=2)), list[int]()
    request = arrived(system, Key(PROMPT[:1]), system.allocate_state())
    computed(system, request, LONG, row, 8)
    equal(system.due(request, 8), [4, 8])
    first, second = (system.track(request, units) for units in (4, 8))
    equal(first.slot == second.slot, False)
    insert, *_ = system.end_request(request, True).moments
    equal((insert.length, insert.state), (8, second.slot))


def the_state_of_an_answer_is_not_that_of_its_prompt(release: Target) -> None:
    """Up to 0.5.21 SGLang takes it for that."""
    system, row = build(release, replace(TRACKED, track_every=2)), list[int]()
    prompt = Key(LONG.tokens[:6])
    request = arrived(system, prompt, system.allocate_state())
    computed(system, request, prompt, row, 6)
    system.track(request, 4)
    system.carry_on(request, True)
    computed(system, request, LONG, row, 8)
    system.track(request, 8)
    inserted = [
        (one.length, one.taken)
        for one in system.end_request(request, True, True).moments
        if one.did is Did.INSERT
    ]
    equal(inserted, [] if release.name.partition("+")[0] in WITHOUT_ANSWERS else [(6, True)])
    equal(system.available(Pool.MAMBA), 4 - len(inserted))
    equal(look(system).evictable, (6 if inserted else 4, 0, 1 + len(inserted)))


def what_is_left_of_the_last_page_of_a_prompt_is_freed_once(release: Target) -> None:
    for bigram, tokens, answer in ((True, 1, 1), (False, 3, 1), (False, 3, 4)):
        run = Run(release, replace(PAGED, bigram=bigram), every=1)
        prompt, generated = Key(LONG.tokens[:tokens]), LONG.tokens[tokens : tokens + answer]
        operations = (Arrive("q", prompt), Prefill("q", tokens), Decode("q", generated))
        for operation in (*operations, Finish("q", prompt_only=True), Match(prompt)):
            equal(run.step(operation, whole=True), [])
        run.close()


def before_a_stop_the_state_tracked_before_the_last_one_is_kept(release: Target) -> None:
    if not release.scope.ends_at_stops:
        return
    for past, kept in ((0, 6), (1, 4), (2, 4), (3, 0)):  # it has no state of less
        system, row = build(release, TRACKED), list[int]()
        request = arrived(system, Key(PROMPT[:1]), system.allocate_state())
        computed(system, request, Key(LONG.tokens[:6]), row, 6)
        tracked = {units: system.track(request, units).slot for units in (2, 4, 6)}
        moments = system.end_request(request, True, False, past).moments
        inserted = [(one.length, one.state) for one in moments if one.did is Did.INSERT]
        equal(inserted, [(kept, tracked[kept])] if kept else [])


def where_a_prompt_branches_off_a_state_is_tracked(release: Target) -> None:
    for every, branch in ((1, 6), (2, 4)):
        system, row = build(release, replace(TRACKED, track_every=every)), list[int]()
        first = arrived(system, LONG, system.allocate_state())
        computed(system, first, LONG, row, 8)
        system.track(first, 8)
        system.end_request(first, True)
        other = Key((*LONG.tokens[:6], 20, 21))
        second = arrived(system, other, system.allocate_state())
        row = []
        computed(system, second, other, row, 8)
        equal(system.due(second, 8), [8 if release.name == f"sglang=={OLD}" else branch])
        system.end_request(second, False)


def what_has_not_been_tracked_is_not_inserted(release: Target) -> None:
    system, row = build(release, TRACKED), list[int]()
    request = arrived(system, KEY, system.allocate_state())
    computed(system, request, KEY, row, 1)
    equal(did(system.carry_on(request, True)), [])
    system.end_request(request, True)
    equal((system.available(Pool.MAMBA), look(system).nodes), (5, ()))


def without_room_for_two_more_states_a_request_does_not_run(release: Target) -> None:
    system = build(release, TRACKED)
    request = arrived(system, KEY, system.allocate_state())
    held = [system.allocate_state() for _ in range(3)]
    carriage = system.admit(request)
    equal((carriage.refused, carriage.crashed, carriage.states), (2, False, ()))
    system.free_state(held[0] or 0)
    equal(len(computed(system, request, KEY, [], 4).states), 2)


def with_too_few_states_no_request_runs(release: Target) -> None:
    system = build(release, replace(TRACKED, mamba_states=3))
    equal(arrived(system, KEY, system.allocate_state()), None)


def a_request_waits_until_there_is_room_for_its_states(release: Target) -> None:
    run = Run(release, replace(TRACKED, mamba_states=4), every=1)
    for one in (Arrive("q", KEY), Arrive("p", LONG), Prefill("q", 4), Prefill("p", 4)):
        equal(run.step(one), [])
    equal(isinstance(run.steps[-1].outcome, Skipped), True)
    equal((run.ledger.requests["p"].row, run.system.available(Pool.FULL)), ([], 12))
    for later in (Abort("q"), Prefill("p", 4), Finish("p")):
        equal(run.step(later), [])
    equal(run.system.match(LONG).device, 4)
    run.close()


def states_that_are_lost_or_mixed_up_are_found(release: Target) -> None:
    """Releases are patched by hand here."""
    cases = (
        (patched(release, loses_states), "OWN/mamba-lost"),
        (mixes_up(release), "CONTENT/mamba"),
    )
    for build_one, signature in cases:
        run = Run(replace(release, build=build_one), TRACKED, every=1)
        operations: list[Operation] = [
            Arrive("q", KEY),
            Prefill("q", 4),
            Decode("q", (5, 6)),
            Finish("q"),
        ]
        found = [breach.signature for one in operations for breach in run.step(one)]
        equal(signature in found, True)
        run.close()


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


def a_second_state_is_taken_only_while_it_is_needed(release: Target) -> None:
    if not release.scope.lazy_tracking:
        return
    system, row = build(release, replace(TRACKED, track_lazily=True)), list[int]()
    request = arrived(system, Key(PROMPT[:1]), system.allocate_state())
    carriage = computed(system, request, LONG, row, 4)
    equal((len(carriage.states), system.available(Pool.MAMBA)), (1, 3))
    second = system.track(request, 2)
    equal((second.freed, second.slot == second.freed), (carriage.states[0], False))
    equal(system.available(Pool.MAMBA), 3)
    held = [system.allocate_state() for _ in range(3)]
    equal(None in held, False)
    equal(system.track(request, 4), Tracked(second.slot, refused=True))
    insert, *_ = system.end_request(request, True).moments
    equal((insert.length, insert.state, insert.taken), (4, second.slot, True))
    equal(system.available(Pool.MAMBA), 1)


def a_request_without_room_gives_back_the_state_of_its_prefix(release: Target) -> None:
    """Since 0.5.23; and nothing else of its lock, which its end does not give back again."""
    for config in (SCARCE, SCARCE_AND_SWA):
        if release.scope.refuses(config):
            continue
        run = Run(release, config, every=1)
        for operation in (*PREFIX, Arrive("q", LONG), Prefill("q", 2)):
            equal(run.step(operation, whole=True), [])
        released = [one for one in run.last_parts if isinstance(one.operation, ReleaseState)]
        equal(len(released), int(release.scope.gives_states_back))
        for operation in (Prefill("q", 2), Decode("q", (9, 10)), Finish("q"), Evict(99)):
            equal(run.step(operation, whole=True), [])
        run.close()


def a_state_that_is_given_back_stays_where_another_request_locks_it(release: Target) -> None:
    """There is no room then, and the request that gave it back goes on without it."""
    if not release.scope.gives_states_back:
        return
    for config in (SHARED, SHARED_AND_SWA):
        run = Run(release, config, every=1)
        lacking = (Prefill("q", 2), Evict(0, 0, 9), Prefill("q", 2), Decode("q", (9,)))
        later = (Abort("q"), Evict(0, 0, 9), Match(KEY), Prefill("r", 1), Finish("r"))
        for operation in (*SHARING, *lacking, *later):
            equal(run.step(operation, whole=True), [])
        equal(run.system.match(KEY_AND_MORE).device, 6)
        run.close()


def a_state_that_is_given_back_twice_is_found(release: Target) -> None:
    if not release.scope.gives_states_back:
        return
    twice = replace(release, build=patched(release, gives_back_twice))
    run = Run(twice, SHARED, every=1)
    for operation in (*SHARING, Prefill("q", 2)):
        equal(run.step(operation, whole=True), [])
    kind = "LOCK/mamba-too-few" if "rust" not in release.name else "SIZE/mamba"
    equal([breach.signature for breach in run.step(Abort("q"), whole=True)][:1], [kind])
    run.close()


def nothing_is_freed_of_the_window_of_a_tracked_state(release: Target) -> None:
    """The insert of a part of a prompt may end before what is computed."""
    config = replace(STATES_AND_SWA, window=2, mamba_states=8, mamba_host_states=16, track_every=3)
    if release.scope.refuses(config):
        return
    run = Run(release, config, every=1)
    long = Key((1, 2, 3, 4, 5, 6))
    for operation in (Arrive("q", long), Prefill("q"), Prefill("q", 4), Match(Key(()))):
        equal(run.step(operation, whole=True), [])
    run.close()
