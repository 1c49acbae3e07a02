"""What a person is shown: the steps, and the tree before and after the bad one, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
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
    Prefill,
    Refuse,
    ReleaseWindow,
    Requested,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.system import System, Target
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.histories import corpus
from radixproof.properties.performing.outcomes import (
    Crashed,
    Done,
    Freed,
    Inserted,
    Locked,
    Matched,
    Outcome,
    Skipped,
)
from radixproof.properties.reporting.narrate import narrate, retold
from radixproof.properties.reporting.report import WIDTH, describe, render, report, summary
from radixproof.properties.reporting.tree_text import draw
from radixproof.properties.running.run import run_history
from radixproof.properties.search.finding import Finding

FAULT = "fault:split-parent-not-backed-up"
SIGNATURE = "PROGRESS/never-backed-up"
WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)
SETTLE = WritingCheck(blocking=True)
LOST = History(WINDOWED, (Insert(Key((1,))), SETTLE, Insert(Key((1, 2, 3)), evicted=2)))


@pytest.fixture
def found() -> Finding:
    verdict = run_history(find(FAULT), LOST)
    assert verdict is not None
    return Finding(LOST, verdict, 7, "soak", 1234, LOST)


def test_the_whole_report(found: Finding) -> None:
    told = retold(find(FAULT), found)
    text = report(FAULT, found, told, "radixproof replay lost.json", "pytest test_lost.py")
    assert text == REPORT
    assert all(len(line) <= WIDTH + 2 for line in text.splitlines())


REPORT = """\
PROGRESS/never-backed-up in fault:split-parent-not-backed-up

What must hold: eviction frees what it was asked for and not more; a node past
    its threshold is backed up when the host has room, so that eviction
    demotes it and its prefix is not lost.
What happened:  [1 | 2] has 1 hit (threshold 1) and the host had room for it,
    but it was not backed up.
Rule:           8.2 Ancestors first (docs/semantics.md)

Configuration: page size 1, FULL+SWA with window 1, write-through; pages: 8
    FULL, 8 SWA, 16 FULL_HOST, 16 SWA_HOST

History:
    1. insert [1]   -> no tokens were there already
    2. writing_check blocking   -> 1
 >  3. insert [1 2 3] evicted 2   -> 1 token was there already

Tree before step 3:
  [1]  FULL device+host  SWA device+host

Tree after step 3 (+ new, ~ changed; before it: - gone):
  [1]  FULL device+host  SWA device+host
+    [2]  FULL device  SWA tombstone
+       [3]  FULL device  SWA device

Prompts are written as their tokens; in [1 | 2] the node meant is the part
    behind the bar.

Found by the soak with seed 7 after 1,234 steps.
Replay: radixproof replay lost.json
Test:   pytest test_lost.py
"""


def test_a_history_without_a_breach_is_told_to_its_end() -> None:
    told = narrate(find("radix"), LOST, None)
    assert told.breach is None
    assert [outcome for _, outcome in told.steps] == [Inserted(0), Done(1), Inserted(1)]
    text = render("radix", LOST, told)
    assert "What happened" not in text
    assert " >" not in text
    assert (
        "[3]  FULL device+host (locked by backup 3)  SWA device+host (locked by backup 3)  "
        "backup in flight" in text
    )


def test_a_narrative_stops_at_the_breach_it_is_about() -> None:
    longer = History(WINDOWED, (*LOST.operations, Match(Key((1,)))))
    for signature in (None, SIGNATURE):
        told = narrate(find(FAULT), longer, signature)
        assert told.breach is not None
        assert told.breach.signature == SIGNATURE
        assert len(told.steps) == 3
    assert narrate(find(FAULT), longer, "OWN/lost").breach is None
    assert len(narrate(find(FAULT), longer, "OWN/lost").steps) == 4


def test_a_finding_that_is_not_seen_again_is_told_as_it_was_seen(found: Finding) -> None:
    told = retold(find("radix"), found)
    assert told.breach == found.verdict.breach
    assert [outcome for _, outcome in told.steps] == [Inserted(0), Done(1), Inserted(1)]


def test_an_empty_history_can_be_told() -> None:
    empty = History(Config(), ())
    told = narrate(find("radix"), empty, None)
    assert told.steps == ()
    assert "Tree before step 0, and after it:\n  (empty)\n" in render("radix", empty, told)


# -- drawings ----------------------------------------------------------------------------------


def prefixes_of(history: History) -> Iterator[History]:
    """The history, and what of it ends with an operation that has parts."""
    for length, operation in enumerate(history.operations, 1):
        if length == len(history.operations) or isinstance(operation, get_args(Requested)):
            yield replace(history, operations=history.operations[:length])


def shown_by_itself(target: Target, history: History) -> tuple[list[str], list[str]]:
    """What a report draws after a history; and what the system itself shows when it is asked for
    everything then.
    """
    built: list[System] = []

    def build(config: Config) -> System:
        built.append(target.build(config))
        return built[-1]

    told = narrate(replace(target, build=build), history, None)
    itself = built[0].observe(True).nodes
    return tuple(draw(history.config, nodes, [], "+") for nodes in (told.after, itself))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "entry",
    [entry for entry in corpus.read(corpus.FOLDER) if entry.system.startswith("fault:")],
    ids=lambda entry: entry.name,
)
def test_a_drawing_shows_what_the_system_shows(entry: corpus.Entry) -> None:
    """In the system that each history of the corpus is about, up to the breach and after every
    request before.
    """
    for history in prefixes_of(entry.history):
        drawn, itself = shown_by_itself(find(entry.system), history)
        assert drawn == itself


REQUESTS: dict[str, tuple[Config, tuple[Operation, ...]]] = {
    "plain": (
        Config(),
        (
            Insert(Key((1, 2, 3))),
            SETTLE,
            Evict(2),
            Arrive("q", Key((1, 2, 4, 5))),
            Prefill("q", 1),
            Prefill("q", 4),
            Decode("q", (6, 7)),
            Arrive("p", Key((1, 2, 9))),
            Prefill("p", 9),
            Finish("q"),
            Abort("p"),
        ),
    ),
    "window and states": (
        Config(window=2, swa_pages=8, swa_host_pages=16, mamba_states=6, mamba_host_states=6),
        (
            Insert(Key((1, 2, 3)), state=True),
            SETTLE,
            Evict(2),
            Arrive("q", Key((1, 2, 3, 4, 5))),
            Prefill("q", 1),
            Prefill("q", 4),
            Decode("q", (6, 7)),
            Finish("q"),
        ),
    ),
    "two ranks": (
        Config(ranks=2),
        (Arrive("q", Key((1, 2, 3))), Prefill("q", 2), Prefill("q", 1), SETTLE, Finish("q")),
    ),
}


@pytest.mark.parametrize(("config", "operations"), REQUESTS.values(), ids=REQUESTS)
def test_a_drawing_is_right_after_every_part_of_a_request(
    config: Config, operations: tuple[Operation, ...]
) -> None:
    for history in prefixes_of(History(config, operations)):
        drawn, itself = shown_by_itself(find("radix"), history)
        assert drawn == itself
        assert narrate(find("radix"), history, None).breach is None


def test_what_the_last_step_consists_of_is_told() -> None:
    history = History(Config(), (Insert(Key((1, 2))), Arrive("q", Key((1, 2, 3)))))
    told = narrate(find("radix"), history, None)
    assert render("radix", history, told).partition("2. arrive")[2].splitlines()[:3] == [
        " q [1 2 3]   -> 2 tokens locked",
        "        load_back [1 2 3]",
        "        lock q's lock [1 2 3]   -> 2 tokens locked",
    ]
    plain = History(Config(), history.operations[:1])
    assert render("radix", plain, narrate(find("radix"), plain, None)).count("insert [1 2]") == 1


def test_a_copy_is_named_where_it_began_if_somebody_reads_of_it() -> None:
    one, other = Key((1,)), Key((2,))
    history = History(
        Config(),
        (Insert(one), SETTLE, Insert(other), Reset(), Insert(other), SETTLE, Insert(one)),
    )
    told = narrate(find("radix"), history, None)
    nothing_there = "no tokens were there already"
    # They are numbered anew after a reset.
    assert told.started == ((), (), (), (), ("backup 1",), (), ("backup 2",))
    assert [told.came_back()[number - 1] for number in (3, 5, 7)] == [
        nothing_there,
        nothing_there,
        f"{nothing_there} (backup 2)",
    ]
    assert f"insert [1]   -> {nothing_there} (backup 2)\n" in render("radix", history, told)
    loading = History(Config(), (Insert(one), SETTLE, Evict(1), Arrive("q", one)))
    assert narrate(find("radix"), loading, None).came_back()[3] == "1 token locked (load-back 2)"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (Config(), "page size 1, FULL only, write-through; pages: 8 FULL, 16 FULL_HOST"),
        (
            Config(page_size=4, window=6, swa_pages=3, swa_host_pages=5, threshold=2),
            "page size 4, FULL+SWA with window 6, write-through from 2 hits on; "
            "pages: 8 FULL, 3 SWA, 16 FULL_HOST, 5 SWA_HOST",
        ),
    ],
)
def test_a_configuration_in_words(config: Config, text: str) -> None:
    assert describe(config) == text


@pytest.mark.parametrize(
    "unusual",
    [
        {"mamba_states": 2, "mamba_host_states": 2},
        {"host_pages": 0},
        {"write_back": True},
        {"threshold": 2},
        *(
            {"eviction_policy": order}
            for order in EvictionPolicy
            if order is not EvictionPolicy.LRU
        ),
        {"load_threshold": 2},
        {"bigram": True},
        {"ranks": 2},
    ],
    ids=str,
)
def test_a_configuration_in_words_leaves_nothing_out_that_is_not_as_usual(
    unusual: dict[str, Any],
) -> None:
    assert describe(Config(**unusual)) != describe(Config())


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Skipped("there is no receipt r1"), "skipped: there is no receipt r1"),
        (Crashed("KeyError", "7", "Tree.unlink"), "KeyError in Tree.unlink: 7"),
        (Crashed("Diverged", "rank 0 has 1", ""), "Diverged: rank 0 has 1"),
        (Matched(2, 2), "2 tokens on device"),
        (Matched(2, 3), "2 tokens on device, 3 with host"),
        (Matched(2, 3, (1, 0, 0)), "2 tokens on device, 3 with host (1, 0, 0)"),
        (Matched(2, 2, (0, 0, 0)), "2 tokens on device"),
        (Inserted(0), "no tokens were there already"),
        (Inserted(3, 2), "3 tokens were there already, 2 reused"),
        (Inserted(0, 0, True), "no tokens were there already, state taken"),
        (Locked(4), "4 tokens locked"),
        (Freed(0), "freed nothing"),
        (Freed(2, 1), "freed 2 FULL and 1 SWA"),
        (Freed(0, 1), "freed 1 SWA"),
        (Freed(2, 0, 3), "freed 2 FULL and 3 MAMBA"),
        (Done(), ""),
        (Done(2), "2"),
    ],
    ids=str,
)
def test_outcomes_in_words(outcome: Outcome, text: str) -> None:
    assert str(outcome) == text


def test_a_summary_is_the_signature_and_what_happened(found: Finding) -> None:
    first, *rest = summary(found).splitlines()
    assert first == "PROGRESS/never-backed-up: 3 operations"
    assert " ".join(line.strip() for line in rest) == found.verdict.breach.text


def test_histories_print_as_they_are_told() -> None:
    """The name of the operation, what it is about, and what is not as usual."""
    a = Key((1, 2), "a")
    history = History(
        Config(),
        (
            *(
                Insert(a, evicted=1, reuse=True, state=True, priority=2),
                Lock("r1", a),
                HostLock("h1", a),
                Unlock("r1"),
            ),
            *(
                ReleaseWindow("r1"),
                SETTLE,
                LoadingCheck(),
                RunCopies(2, load=True, fail=True, rank=1),
                RunCopies(),
            ),
            *(
                Evict(2, 1),
                Evict(mamba=1),
                Evict(),
                EvictHost(3, Component.SWA),
                LoadBack(a, 4),
                LoadBack(a),
            ),
            *(
                HostInsert(a),
                Refuse(Pool.SWA_HOST),
                Arrive("q1", a),
                Prefill("q1", 4),
                Decode("q1", (1, 2)),
                Finish("q1"),
            ),
            *(Abort("q1"), Match(Key(())), Reset()),
        ),
    )
    assert str(history).splitlines() == [
        "  1. insert a:[1 2] evicted 1 reuse state priority 2",
        "  2. lock r1 a:[1 2]",
        "  3. host_lock h1 a:[1 2]",
        "  4. unlock r1",
        "  5. release_window r1",
        "  6. writing_check blocking",
        "  7. loading_check",
        "  8. run_copies count 2 load fail rank 1",
        "  9. run_copies",
        " 10. evict full 2 swa 1",
        " 11. evict mamba 1",
        " 12. evict",
        " 13. evict_host tokens 3 component SWA",
        " 14. load_back a:[1 2] quota 4",
        " 15. load_back a:[1 2]",
        " 16. host_insert a:[1 2]",
        " 17. refuse pool SWA_HOST",
        " 18. arrive q1 a:[1 2]",
        " 19. prefill q1 tokens 4",
        " 20. decode q1 tokens (1, 2)",
        " 21. finish q1",
        " 22. abort q1",
        " 23. match []",
        " 24. reset",
    ]
