"""EVENT: the stream of events; its consumer must end up knowing exactly what is cached where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from radixproof.impl.observation import Event
from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    HostInsert,
    Insert,
    LoadBack,
    Match,
    Operation,
    Reset,
    RunCopies,
)
from radixproof.impl.registry import find
from radixproof.impl.sight import Sight
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.judging.event_stream import Announced
from radixproof.properties.running.run import Run, run_history

from ..deeds import (
    AB,
    ABC,
    HOSTLESS,
    LOADED,
    PLAIN,
    SETTLE,
    STATEFUL,
    WINDOWED,
    WRITE_BACK,
    A,
    B,
    Deed,
    SignatureOf,
    lie,
    words,
)

Events = tuple[Event, ...]


def say(change: Callable[[Events], Events]) -> Deed:
    """Other events are sent than those that happened."""
    return lie(events=change)


def without(kind: str) -> Deed:
    """Events of one kind are not sent."""
    return say(lambda events: tuple(event for event in events if event.kind != kind))


def on_the_other_tier(events: Events) -> Events:
    return tuple(event._replace(on_host=not event.on_host) for event in events)


def under_a_stranger(events: Events) -> Events:
    return tuple(event._replace(parent=77) if event.kind == "stored" else event for event in events)


def under_the_root(events: Events) -> Events:
    """Whatever is stored is said to hang under the root."""
    return tuple(
        event._replace(parent=None) if event.kind == "stored" else event for event in events
    )


def in_another_namespace(events: Events) -> Events:
    return tuple(
        event._replace(namespace="b") if event.kind == "stored" else event for event in events
    )


def all_by_one_name(events: Events) -> Events:
    return tuple(
        event._replace(blocks=tuple(5 for _ in event.blocks)) if event.kind == "stored" else event
        for event in events
    )


def by_new_names() -> Callable[[Events], Events]:
    """A block is called otherwise every time that it is stored."""
    names = iter(range(1000, 2000))
    return lambda events: tuple(
        event._replace(blocks=tuple(next(names) for _ in event.blocks)) for event in events
    )


def other_tokens(events: Events) -> Events:
    return tuple(event._replace(tokens=event.tokens[::-1]) for event in events)


def twice(events: Events) -> Events:
    return tuple(again for event in events for again in (event, event))


def more(event: Event) -> Callable[[Events], Events]:
    return lambda events: (*events, event)


def removed_from_the_host(events: Events) -> Events:
    """What has just come to the device is said to have gone from the host."""
    return (*events, *(event._replace(kind="removed", on_host=True) for event in events))


def one_block_less(events: Events) -> Events:
    return tuple(event._replace(blocks=event.blocks[:-1]) for event in events)


FORGED = Event("stored", False, (4711,), None, (9,))
BACKED = [Insert(A), SETTLE]
IN_ANOTHER = Key((1,), "a")


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed"),
    [
        ("stored-missing", PLAIN, [Insert(A)], without("stored")),
        ("stored-missing", HOSTLESS, [Insert(A)], without("stored")),
        ("stored-missing", PLAIN, [Insert(A)], say(on_the_other_tier)),
        ("stored-missing", PLAIN, [Insert(AB)], say(other_tokens)),
        ("stored-missing", PLAIN, [Insert(Key((1,), "a"))], say(in_another_namespace)),
        ("removed-missing", PLAIN, [*BACKED, Evict(1)], without("removed")),
        ("removed-missing", PLAIN, [*BACKED, Evict(1), EvictHost(1)], without("removed")),
        ("removed-missing", HOSTLESS, [Insert(A), Evict(1)], without("removed")),
        ("removed-unknown", PLAIN, [Insert(A)], say(more(Event("removed", False, (4711,))))),
        (
            "removed-unknown",
            PLAIN,
            [Insert(A)],
            say(removed_from_the_host),
        ),
        ("stored-twice", PLAIN, [Insert(A)], say(twice)),
        ("blocks-without-tokens", PLAIN, [Insert(AB)], say(one_block_less)),
        ("parent-unknown", PLAIN, [Insert(A)], say(under_a_stranger)),
        ("unknown-kind", PLAIN, [Insert(A)], say(more(Event("moved")))),
        ("block-ambiguous", PLAIN, [Insert(AB)], say(all_by_one_name)),
        ("block-ambiguous", PLAIN, [Insert(A), Insert(B)], say(all_by_one_name)),
        ("block-ambiguous", PLAIN, BACKED, say(by_new_names())),
    ],
    ids=words,
)
def test_event(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
) -> None:
    assert signature_of(config, operations, deed) == f"EVENT/{rule}"


def test_event_under_the_wrong_parent(signature_of: SignatureOf) -> None:
    """The block is announced as another prefix than the one that is there."""
    assert (
        signature_of(PLAIN, [Insert(A), Insert(AB)], say(under_the_root)) == "EVENT/stored-missing"
    )


def test_event_about_a_backup_before_it_is_acknowledged(signature_of: SignatureOf) -> None:
    """Whoever believed it would fetch garbage."""

    def too_early(events: Events) -> Events:
        return tuple(event for event in events if not event.on_host) + tuple(
            event._replace(on_host=True)
            for event in events
            if not event.on_host and event.kind == "stored"
        )

    assert signature_of(PLAIN, [Insert(A), Match(A)], say(too_early)) == "EVENT/stored-absent"


@pytest.mark.parametrize("every", [1, None])
def test_event_of_what_is_not_there(
    tampered: Callable[[Deed, int], Target], every: int | None
) -> None:
    """A prefix is announced that nobody has: no step touches it, but a look at everything does."""
    run = Run(tampered(say(more(FORGED)), 1), PLAIN, every)
    breaches = run.step(Insert(A)) or run.finish()
    assert [breach.signature for breach in breaches] == ["EVENT/stored-absent"]
    run.close()


def test_event_after_a_reset(signature_of: SignatureOf) -> None:
    """Whoever is not told of it goes on believing what he knew."""
    signature = signature_of(PLAIN, [Insert(A), SETTLE, Reset()], without("cleared"))
    assert signature is not None
    assert signature.startswith("EVENT/")


def without_namespaces() -> Callable[[Events], Events]:
    """A block is called after the last of its tokens, in whatever namespace it is."""
    names: dict[int, int] = {}

    def called(event: Event) -> Event:
        if event.kind == "stored":
            names.update(zip(event.blocks, event.tokens, strict=True))  # type: ignore[arg-type]
        return event._replace(blocks=tuple(names[block] for block in event.blocks))

    return lambda events: tuple(map(called, events))


@pytest.mark.parametrize(
    ("operations", "deed", "rules"),
    [
        (
            [Insert(A), Insert(B), Evict(2)],
            say(twice),
            ["stored-twice", "stored-twice", "removed-unknown"],
        ),
        (
            [Insert(A), Insert(B), Insert(AB)],
            without("stored"),
            ["stored-missing", "stored-missing", "stored-missing"],
        ),
        (
            [Insert(A), Insert(B), Match(A), Evict(1)],
            say(more(FORGED)),
            ["stored-absent"] * 4,
        ),
        (
            [Insert(A), Insert(IN_ANOTHER), Evict(1), Insert(B), Evict(2)],
            say(without_namespaces()),
            ["", "block-ambiguous", "", "", ""],
        ),
    ],
    ids=words,
)
def test_what_broke_a_rule_is_not_held_against_what_comes_next(
    tampered: Callable[[Deed, int], Target],
    operations: list[Operation],
    deed: Deed,
    rules: list[str],
) -> None:
    run = Run(tampered(deed, 0), HOSTLESS, every=1)
    found = [
        " ".join(rule.removeprefix("EVENT/") for rule in step) for step in run_all(run, operations)
    ]
    assert found == rules
    run.close()


def run_all(run: Run, operations: Sequence[Operation]) -> list[list[str]]:
    return [[breach.signature for breach in run.step(operation)] for operation in operations]


# -- the consumer --


@pytest.mark.parametrize(
    ("operations", "device", "host"),
    [
        ([Insert(AB)], 2, 0),
        ([Insert(AB), RunCopies()], 2, 0),
        ([Insert(AB), SETTLE], 2, 2),
        ([Insert(AB), SETTLE, Match(A)], 2, 2),
        ([Insert(AB), SETTLE, Evict(2)], 0, 2),
        ([Insert(AB), SETTLE, Evict(2), LoadBack(AB)], 2, 2),
        ([Insert(AB), SETTLE, Evict(2), LoadBack(AB), LOADED], 2, 2),
        ([Insert(AB), SETTLE, Evict(2), EvictHost(2)], 0, 0),
        ([HostInsert(ABC)], 0, 3),
        ([Insert(AB), SETTLE, Insert(Key((1, 2), "a"))], 4, 2),
        ([Insert(AB), SETTLE, Reset()], 0, 0),
    ],
    ids=words,
)
def test_a_consumer_knows_what_is_resident(
    radix: Target, operations: list[Operation], device: int, host: int
) -> None:
    """On the host from the acknowledgement of the backup on; after a split the same as before."""
    run = Run(radix, PLAIN, every=1)
    assert run_all(run, operations) == [[]] * len(operations)
    assert tuple(map(len, run.judge.announced.resident)) == (device, host)
    run.close()


def test_a_consumer_of_bigrams_is_told_pairs(radix: Target) -> None:
    run = Run(radix, Config(bigram=True), every=1)
    assert run.step(Insert(ABC)) == []
    assert len(run.judge.announced.resident[0]) == 2
    run.close()


def test_write_back_announces_what_an_eviction_puts_on_the_host(radix: Target) -> None:
    run = Run(radix, WRITE_BACK, every=1)
    assert run_all(run, [Insert(AB), Evict(2)]) == [[], []]
    assert tuple(map(len, run.judge.announced.resident)) == (0, 2)
    run.close()


def test_a_system_that_loses_its_events_is_blamed(tampered: Callable[[Deed, int], Target]) -> None:
    run = Run(tampered(lambda _: lambda seen: replace(seen, events=None), 0), PLAIN, every=1)
    (breach,) = run.step(Insert(AB))
    assert breach.signature == "EVENT/silent"
    run.close()


def test_a_system_without_events_is_not_blamed(tampered: Callable[[Deed, int], Target]) -> None:
    target = tampered(lambda _: lambda seen: replace(seen, events=None), 0)
    run = Run(replace(target, sight=Sight(events=False)), PLAIN, every=1)
    assert run_all(run, [Insert(AB), SETTLE, Evict(2)]) == [[], [], []]
    assert run.judge.announced.resident == ({}, {})
    run.close()


def consumer(radix: Target) -> Announced:
    run = Run(radix, PLAIN, every=1)
    run.close()
    return run.judge.announced


def test_a_clearing_event_forgets_everything_before_it(radix: Target) -> None:
    announced = consumer(radix)
    stored = Event("stored", False, (11, 12), None, (1, 2))
    announced.hear([stored, Event("cleared"), stored._replace(on_host=True)])
    assert tuple(map(len, announced.resident)) == (0, 2)


def test_the_same_block_may_be_stored_on_both_tiers_and_again(radix: Target) -> None:
    announced = consumer(radix)
    stored = Event("stored", False, (11, 12), None, (1, 2))
    again = [stored, stored._replace(on_host=True), Event("removed", False, (12, 11)), stored]
    assert announced.hear(again) == []
    assert tuple(map(len, announced.resident)) == (2, 2)
    below = Event("stored", False, (13,), 12, (3,))
    assert announced.hear([below]) == []
    assert len(announced.resident[0]) == 3


def test_a_page_is_announced_again_with_what_it_lacked() -> None:
    """A supplement brings the state alone."""
    late: list[Operation] = [Insert(A), SETTLE, Insert(A, state=True), SETTLE]
    target = find("fault:supplement-announced")
    verdict = run_history(target, History(STATEFUL, tuple(late)))
    assert verdict is not None
    assert verdict.breach.signature == "EVENT/stored-with-supplement"
    assert verdict.step == len(late) - 1


@pytest.mark.parametrize(
    ("window", "copied", "rule"),
    [
        (3, ABC, "stored-with-supplement"),
        (2, ABC, "stored-twice"),
        (3, A, "stored-twice"),
        (None, ABC, "stored-twice"),
    ],
)
def test_a_write_back_announces_pages_whose_windows_it_takes_along(
    radix: Target, window: int | None, copied: Key, rule: str
) -> None:
    shape = replace(WINDOWED, window=window, write_back=True) if window else WRITE_BACK
    run = Run(radix, shape)
    run.step(Insert(ABC))
    announced = run.judge.announced
    first, *_ = announced.block_of.values()
    stored = Event("stored", True, (first,), None, (1,))
    pages = run.judge.model.trie.walk(copied)[-1:]
    assert announced.hear([stored], copied=pages) == []
    (breach,) = announced.hear([stored], copied=pages)
    run.close()
    assert breach.signature == f"EVENT/{rule}"
