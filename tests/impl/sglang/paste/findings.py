"""Findings to paste: made-up breaches of true histories, in every form that a test can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from radixproof.impl.operations import (
    NO_PROMPT,
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.scope import Scope
from radixproof.impl.sglang.releases import scope_of
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property, Witness

FULL_ONLY = Config()
FULL_ONLY_PAGED = Config(page_size=2, device_pages=6, host_pages=4)
SWA = Config(page_size=1, window=1, device_pages=8, swa_pages=8, host_pages=16, swa_host_pages=16)
SWA_PAGED = Config(
    page_size=3, window=4, device_pages=5, swa_pages=4, host_pages=3, swa_host_pages=6, threshold=2
)
HOSTLESS = Config(
    page_size=2,
    window=2,
    device_pages=6,
    swa_pages=6,
    host_pages=0,
    eviction_policy=EvictionPolicy.LFU,
)
WRITE_BACK = Config(page_size=2, device_pages=6, host_pages=8, write_back=True)
STATES = Config(mamba_states=6, mamba_host_states=8)
STATES_PAGED = Config(page_size=2, mamba_states=8, host_pages=0)
ALL_THREE = replace(SWA, mamba_states=8, mamba_host_states=8)
CONFIGS = (FULL_ONLY, FULL_ONLY_PAGED, SWA, SWA_PAGED, HOSTLESS, STATES, STATES_PAGED, ALL_THREE)


def breach(
    witness: Witness | None, violates: Property = Property.PROGRESS, rule: str = "rule"
) -> Breach:
    return Breach(violates, rule, "[1 | 2] was expected, but\nwas not \\ seen '''\"\"\"", witness)


def key(*tokens: int, namespace: str = "") -> Key:
    return Key(tokens, namespace)


def busy(config: Config) -> History:
    """Most operations in all forms, those that are skipped included.

    It ends with an idle cache that holds one prompt twice.
    """
    page = config.page_size
    one, two = tuple(range(1, 1 + page)), tuple(range(1, 1 + 2 * page))
    boundary = 0 if config.window is None else page
    state = config.mamba_states > 0
    operations: list[Operation] = [
        Insert(Key(two), boundary, state=state),
        Insert(Key((*two, 99)), reuse=True, state=state),
        Insert(Key(one), evicted=5 * page, state=state),
        Match(Key((*two, 99))),
        Match(Key(())),
        Lock("r", Key(two)),
        Lock("r", Key(one)),
        Lock("class_", Key(one, "a")),
        Unlock("nobody"),
        Reset(),
        RunCopies(2),
        WritingCheck(),
        Unlock("r"),
        Insert(Key(tuple(range(20, 20 + 2 * page))), boundary, reuse=True, state=state),
        Insert(Key(tuple(range(30, 30 + 9 * page))), state=state),
        Evict(page, 0 if config.window is None else page, int(state)),
        EvictHost(page),
        LoadBack(Key(two)),
        LoadingCheck(blocking=True),
        *([] if config.window is None else [EvictHost(1, Component.SWA)]),
        Unlock("class_"),
        WritingCheck(blocking=True),
        Reset(),
        Insert(Key(two, "a"), state=state),
        Insert(Key(two), state=state),
        WritingCheck(blocking=True),
        Lock("last", Key(two)),
    ]
    return History(config, tuple(operations))


Files = dict[str, tuple[History, Breach]]


def files() -> Files:
    """Everything that is run on the releases, by the name of its file."""
    return {
        **_of_states(),
        **_of_requests(),
        **_of_loads(),
        **_of_locks(),
        **_of_events(),
        **_of_the_rest(),
        **_wrong(),
        **_busy(),
    }


def _of_states() -> Files:
    innocent = History(
        STATES, (Insert(key(1, 2), state=True), RunCopies(), WritingCheck(blocking=True))
    )
    taken = (
        Insert(key(1, 2), state=True),
        WritingCheck(blocking=True),
        Evict(swa=1),
        Insert(key(1), evicted=1, state=True),
        EvictHost(1, Component.SWA),
    )
    begun = (Insert(key(1), state=True), Arrive("q", key(1, 2)))
    forgotten = (
        Insert(key(1), state=True),
        Insert(key(1, 2), state=True),
        WritingCheck(blocking=True),
        Evict(1),
        Insert(key(101, 102), state=True),
        Arrive("q", key(1, 2)),
    )
    worked_on = (
        Insert(key(1), state=True),
        Arrive("q", key(1, 2, 3)),
        Prefill("q", 1),
        Prefill("q", 1),
        Decode("q", (4,)),
        Finish("q"),
        Arrive("p", key(1, 2)),
        Arrive("r", key(101)),
        Abort("p"),
        WritingCheck(blocking=True),
        Evict(mamba=1),
        EvictHost(1, Component.MAMBA),
        Finish("r"),
        WritingCheck(blocking=True),
    )
    target = Witness(key(1), Pool.MAMBA_HOST, held=True)
    return {
        "begun": (History(STATES, begun), breach(None, Property.CONTENT, "mamba")),
        "forgotten": (
            History(replace(STATES, device_pages=3), forgotten),
            breach(None, Property.CONTENT, "mamba"),
        ),
        "states": (History(STATES, worked_on), breach(None, Property.QUIESCE)),
        "states_content": (
            innocent,
            breach(Witness(key(1, 2), Pool.MAMBA, content=True), Property.CONTENT),
        ),
        "states_content_host": (
            innocent,
            breach(Witness(key(1, 2), Pool.MAMBA_HOST, content=True), Property.CONTENT),
        ),
        "target": (
            History(ALL_THREE, taken),
            breach(target, Property.PIN, "host-target-freed"),
        ),
    }


def _of_requests() -> Files:
    requested = (
        Insert(key(1)),
        Arrive("q", key(1, 2)),
        Prefill("q"),
        Decode("q", (3,)),
        Finish("q"),
        Arrive("p", key(1, 2, 3)),
        Decode("p", (4, 5)),
        Abort("p"),
    )
    tracked = (
        Arrive("q", key(1, 2, 3, 4, 5)),
        Prefill("q", 2),
        Prefill("q", 3),
        Decode("q", (6,)),
        Decode("q", (7, 8, 9)),
        Finish("q"),
        Arrive("p", key(1, 2, 3, 4)),
        Decode("p", (105, 106)),
        Abort("p"),
    )
    windowed = replace(STATES_PAGED, window=2, swa_pages=8)
    seldom, lazy = (
        replace(STATES_PAGED, track_every=2),
        replace(STATES_PAGED, track_lazily=True),
    )
    scarce = replace(lazy, mamba_states=3, host_pages=0, mamba_host_states=0)
    given_back = (
        Arrive("p", key(1, 2, 3, 4)),
        Prefill("p", 4),
        Finish("p"),
        Arrive("q", key(1, 2, 3, 4, 5, 6)),
        Prefill("q", 2),
        Finish("q"),
    )
    end = Witness(key(1, 2, 3, 4, 5, 6, 7, 8), Pool.MAMBA, held=True)
    of_prefix = Witness(key(1, 2, 3, 4), Pool.MAMBA, held=False)
    return {
        "tracked": (History(STATES_PAGED, tracked), breach(end)),
        "tracked_seldom": (History(seldom, tracked), breach(end)),
        "tracked_lazily": (History(lazy, tracked), breach(end)),
        "tracked_scarce": (History(scarce, given_back), breach(of_prefix)),
        "tracked_quiet": (History(windowed, tracked), breach(None, Property.QUIESCE)),
        "request": (
            History(SWA, requested),
            breach(Witness(key(1, 2, 3), Pool.FULL, held=True)),
        ),
        "request_quiet": (
            History(SWA, (*requested, WritingCheck(blocking=True))),
            breach(None, Property.QUIESCE),
        ),
    }


def _of_loads() -> Files:
    there_and_back = (
        Insert(key(1, 2), priority=1),
        WritingCheck(blocking=True),
        Evict(2),
        LoadBack(key(1, 2), quota=2),
    )
    loaded = History(SWA, (*there_and_back, RunCopies(1, load=True), LoadingCheck()))
    many: tuple[Operation, ...] = (
        *[Insert(key(token)) for token in range(5)],
        WritingCheck(blocking=True),
        Evict(5),
        *[LoadBack(key(token)) for token in range(5)],
        LoadingCheck(blocking=True),
    )
    late = (
        Insert(key(1, 2)),
        WritingCheck(blocking=True),
        Evict(2),
        Match(key(1, 2), "m"),
        Match(key(1)),
        LoadBack(key(1)),
        Lock("a", NO_PROMPT, "m"),
        LoadBack(NO_PROMPT, 2, "m"),
    )
    return {
        "late": (History(SWA, late), breach(Witness(key(1, 2), Pool.SWA, locks=1))),
        "content": (loaded, breach(Witness(key(1, 2), Pool.SWA, content=True))),
        "loaded": (loaded, breach(Witness(key(1, 2), Pool.SWA, locks=0))),
        "loading": (History(SWA, there_and_back), breach(Witness(key(1, 2), Pool.SWA, locks=1))),
        "many": (History(FULL_ONLY, many), breach(Witness(key(4), Pool.FULL, held=True))),
    }


def _of_locks() -> Files:
    stolen = (Insert(key(1, 2), 2), Insert(key(1)), Lock("a", key(1)), WritingCheck(blocking=True))
    receipts: tuple[Operation, ...] = (
        Insert(key(1, 2)),
        WritingCheck(blocking=True),
        Lock("a", key(1, 2)),
        ReleaseWindow("a"),
        HostLock("b", key(1, 2)),
    )
    return {
        "stolen": (
            History(SWA, stolen),
            breach(Witness(key(1), Pool.SWA, locks=1), Property.LOCK, "swa-too-few"),
        ),
        "receipts": (History(SWA, receipts), breach(Witness(key(1, 2), Pool.SWA, locks=0))),
        "host_receipt": (
            History(SWA, receipts),
            breach(Witness(key(1, 2), Pool.FULL_HOST, locks=1)),
        ),
        "returned": (
            History(SWA, (*receipts, Unlock("a"), Unlock("b"))),
            breach(None, Property.QUIESCE),
        ),
    }


INNOCENT = History(
    SWA, (Insert(key(1, 2)), WritingCheck(blocking=True), Lock("a", key(1, 2)), Evict(2))
)


def _of_events() -> Files:
    settled = WritingCheck(blocking=True)
    late = (Insert(key(1, 2), state=True), settled, Insert(key(1), state=True), settled)
    shared = (Insert(key(1)), Insert(key(1, namespace="a")))
    return {
        "announced": (
            History(STATES, late),
            breach(None, Property.EVENT, "stored-with-supplement"),
        ),
        "shared": (History(FULL_ONLY, shared), breach(None, Property.EVENT, "block-ambiguous")),
    }


def _of_the_rest() -> Files:
    """What is lost, replaced, free to go, or crashes."""
    seed = History(SWA, (Insert(key(1, 2), 1), Evict(1)))
    recovered = History(
        replace(SWA, page_size=3, window=4),
        (Insert(key(1, 2, 3, 4, 5, 6), 3), Insert(key(1, 2, 3))),
    )
    written_back = History(WRITE_BACK, (Insert(key(1, 2)), Evict(2)))
    crash = History(FULL_ONLY, (Insert(key(1)), EvictHost(-1)))
    fetched = History(FULL_ONLY_PAGED, (HostInsert(key(1, 2)), HostInsert(key(1, 2, 3, 4, 5))))
    meanwhile = History(
        FULL_ONLY_PAGED,
        (
            Prefetch("f", key(1, 2, 3, 4, 5, 6)),
            Prefetch("g", key(1, 2, 3, 4)),
            EndPrefetch("g", 2),
            EndPrefetch("f"),
        ),
    )
    operations = (
        HostInsert(key(1, 2, 3)),
        HostInsert(key(1, 2, 4)),
        Prefetch("f", key(1, 2, 3, 4, 5, 6)),
        Prefetch("g", key(1, 2, 3, 7, 8)),
        EndPrefetch("g", 1),
        EndPrefetch("f"),
    )
    window = History(replace(SWA, window=2), operations)
    state = History(STATES, operations)
    both = History(replace(ALL_THREE, window=2), operations)
    fetched_whole, in_part = key(1, 2, 3, 4, 5, 6), key(1, 2, 3, 7)
    return {
        "window_fetched": (window, breach(Witness(fetched_whole, Pool.SWA_HOST, held=True))),
        "state_fetched": (state, breach(Witness(fetched_whole, Pool.MAMBA_HOST, held=True))),
        "both_fetched": (both, breach(Witness(key(1, 2, 4), Pool.MAMBA_HOST, held=True))),
        "not_fetched": (window, breach(Witness(in_part, Pool.FULL_HOST, held=False))),
        "fetched_meanwhile": (
            meanwhile,
            breach(Witness(key(1, 2, 3, 4, 5, 6), Pool.FULL_HOST, held=True)),
        ),
        "fetched": (fetched, breach(Witness(key(1, 2, 3, 4), Pool.FULL_HOST, held=True))),
        "seed": (
            seed,
            breach(Witness(key(1, 2), Pool.FULL_HOST, held=True), rule="never-backed-up"),
        ),
        "replaced": (
            recovered,
            breach(Witness(key(1, 2, 3), Pool.FULL, kept=True), Property.PIN, "full-replaced"),
        ),
        "innocent": (INNOCENT, breach(Witness(key(1, 2), Pool.FULL, held=True))),
        "no_leaf": (INNOCENT, breach(Witness(key(1, 2), Pool.FULL, leaf=False))),
        "written_back": (written_back, breach(Witness(key(1, 2), Pool.FULL_HOST, held=True))),
        "silent": (crash, breach(None, Property.NOCRASH, "ValueError@here")),
    }


def _wrong() -> Files:
    """Every form of witness, on a history without one."""
    unwritten = History(SWA, (Insert(key(1, 2)),))
    return {
        "wrong_content": (unwritten, breach(Witness(key(1, 2), Pool.SWA_HOST, content=True))),
        "wrong_held": (INNOCENT, breach(Witness(key(1, 2), Pool.SWA_HOST, held=False))),
        "wrong_absent": (INNOCENT, breach(Witness(key(1, 3), Pool.FULL, held=True))),
        "wrong_leaf": (INNOCENT, breach(Witness(key(1, 2), Pool.FULL, leaf=True))),
        "wrong_locks": (INNOCENT, breach(Witness(key(1, 2), Pool.FULL, locks=2))),
        "wrong_kept": (INNOCENT, breach(Witness(key(1, 2), Pool.SWA, kept=False))),
        "wrong_quiet": (INNOCENT, breach(None, Property.QUIESCE)),
    }


def _busy() -> Files:
    cases = {}
    for number, config in enumerate(CONFIGS):
        two = tuple(range(1, 1 + 2 * config.page_size))
        for at, witness in enumerate(true_of_busy(config, Key(two))):
            cases[f"busy_{number}_{at}"] = (busy(config), breach(witness))
    return cases


def files_for(release: str) -> Files:
    """Those of them that a release can be put to."""
    scope = scope_of(release)
    return {name: case for name, case in files().items() if offers(scope, case[0])}


def offers(scope: Scope, history: History) -> bool:
    """Whether a release has such caches, and what is fetched to the host, and makes room for the
    state of an insert where the pool has no more than a request and its prefix need.
    """
    if history.config.track_lazily and history.config.mamba_states < 4:
        return scope.gives_states_back
    fetches = any(isinstance(one, HostInsert | Prefetch) for one in history.operations)
    return not scope.refuses(history.config) and (HostInsert in scope.operations or not fetches)


def true_of_busy(config: Config, prompt: Key) -> Iterator[Witness | None]:
    yield None
    for pool in config.pools:
        on_host = config.threshold == 1 and pool.on_host
        yield Witness(prompt, pool, held=on_host or not pool.on_host)
        yield Witness(replace(prompt, namespace="b"), pool, held=False)
        if not pool.on_host:
            yield Witness(prompt, pool, locks=1)
            yield Witness(replace(prompt, namespace="a"), pool, locks=0)
            yield Witness(prompt, pool, kept=True)
