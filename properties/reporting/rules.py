"""Which rules of docs/semantics.md a breach is about, and what they say."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import NamedTuple

BY_SIGNATURE = (
    ("OWN/inserted-not-adopted", "11.2"),
    ("OWN/*", "1.3", "13.4"),
    ("OWN-H/*", "1.3", "13.4"),
    ("MAP/window-not-told", "11.5"),
    ("MAP/leaf-without-window", "11.4"),
    ("MAP/window-counted-in-tokens", "11.4"),
    ("MAP/*", "13.1"),
    ("CONTENT/served", "3.3"),
    ("CONTENT/fetched", "2.1", "10.3"),
    ("CONTENT/written-after-reset", "12.1"),
    ("CONTENT/copied-before-computed", "11.6"),
    ("CONTENT/loaded-before-computed", "11.6"),
    ("CONTENT/*_host", "7.4", "8.3"),
    ("CONTENT/*state-sums-up-more", "11.3", "11.5"),
    ("CONTENT/state-of-best", "3.6"),
    ("CONTENT/mamba", "3.6", "9.2"),
    ("CONTENT/full", "8.3", "9.2", "10.3"),
    ("CONTENT/swa", "8.3", "9.2", "10.3"),
    ("CONTENT/*", "8.3", "9.2"),
    ("PIN/row-replaced", "4.1", "6.1"),
    ("PIN/*_host-replaced", "5.2", "6.6"),
    ("PIN/*-replaced", "4.1"),
    ("PIN/target-freed", "4.1", "9.4"),
    ("PIN/host-target-freed", "7.9", "8.3"),
    ("PIN/source-freed", "9.2"),
    ("PIN/unmarked", "8.3", "9.4"),
    ("PIN/own-source-evicted", "9.2"),
    ("PIN/*_host-evicted", "5.2", "6.6"),
    ("PIN/*_host-in-flight", "7.9"),
    ("PIN/*", "6.1", "8.3"),
    ("BACKUP/parent-missing", "1.4", "10.3"),
    ("BACKUP/full_host-unexpected", "8.2", "10.3"),
    ("BACKUP/swa_host-unexpected", "8.2", "10.3"),
    ("DEVPATH/value-without-full", "1.4", "10.3"),
    ("BACKUP/hits-by-insert", "8.1"),
    ("BACKUP/*", "8.2"),
    ("DEVPATH/malformed-node", "1.1", "2.3"),
    ("DEVPATH/prefix-twice", "1.1"),
    ("DEVPATH/dead-node", "1.2"),
    ("DEVPATH/*", "1.4"),
    ("LOCK/*_host-*", "6.6"),
    ("LOCK/state-released-*", "6.4"),
    ("LOCK/mamba-too-few", "6.2", "6.4"),
    ("LOCK/*", "6.1", "6.2"),
    ("SIZE/*-outcome", "7.5"),
    ("SIZE/*", "1.5", "6.2"),
    ("LEAF/*", "1.6"),
    ("RECENCY/priority-not-told", "11.3"),
    ("RECENCY/hits-by-insert", "8.1"),
    ("RECENCY/priority-of-root", "7.2", "10.3"),
    ("RECENCY/*-of-half", "5.5"),
    ("RECENCY/access-time", "3.5", "7.2"),
    ("RECENCY/*-list", "3.5", "5.5"),
    ("RECENCY/*-order", "7.9"),
    ("RECENCY/*", "7.2"),
    ("PROGRESS/host-*", "7.9"),
    ("PROGRESS/evict_host-outcome", "7.9"),
    ("PROGRESS/host_insert-outcome", "10.3"),
    ("PROGRESS/fetch-declined", "10.2"),
    ("PROGRESS/fetched-not-handed-over", "10.2"),
    ("PROGRESS/prefetch-outcome", "10.2"),
    ("PROGRESS/host_lock-declined", "10.2"),
    ("PROGRESS/fetched-needlessly", "10.2"),
    ("PROGRESS/unbacked-leaf-kept", "7.4"),
    ("PROGRESS/write-back-not-awaited", "7.8"),
    ("PROGRESS/stopped-early", "7.1", "7.3", "7.4"),
    ("PROGRESS/freed-too-much", "7.1"),
    ("PROGRESS/*-room-than-lacking", "11.2", "11.5"),
    ("PROGRESS/state-of-best-kept", "3.6", "11.1"),
    ("PROGRESS/state-lost-with-window", "7.3", "7.6"),
    ("PROGRESS/never-backed-up-again", "4.4"),
    ("PROGRESS/late-*-not-backed-up", "4.4"),
    ("PROGRESS/never-backed-up", "8.2"),
    ("PROGRESS/hits-by-insert", "8.1", "8.2"),
    ("PROGRESS/state-never-backed-up", "4.4", "8.3"),
    ("PROGRESS/not-written-back", "7.4"),
    ("PROGRESS/not-written-back-along", "7.3", "8.3"),
    ("PROGRESS/late-*-not-written-back", "7.3", "7.4"),
    ("PROGRESS/*-not-written-back", "7.3"),
    ("PROGRESS/load-*", "9.3"),
    ("PROGRESS/load_back-outcome", "9.3", "9.6"),
    ("PROGRESS/allocation-refused", "13.4"),
    ("PROGRESS/*_check-outcome", "8.4", "9.5"),
    ("PROGRESS/*", "7.4"),
    ("MATCH/computed-not-inserted", "11.2", "11.3"),
    ("MATCH/*-not-inserted", "4.1", "4.2"),
    ("MATCH/window-not-in-whole-pages", "11.4"),
    ("MATCH/window-of-state-freed", "11.4"),
    ("MATCH/not-cut", "4.3", "5.1"),
    ("MATCH/cut-unasked", "4.3", "5.1", "10.3"),
    ("MATCH/match-outcome", "3.2", "3.3"),
    ("MATCH/*lock-outcome", "3.3", "6.1"),
    ("MATCH/*", "4.1", "4.3"),
    ("QUIESCE/mark", "5.4", "8.4"),
    ("QUIESCE/*", "6.2", "8.4"),
    ("EVENT/acks-out-of-order", "8.4"),
    ("EVENT/host-out-of-order", "7.9", "14.10"),
    ("EVENT/host-unsaid", "7.4", "7.9"),
    ("EVENT/host-unasked", "7.9", "14.10"),
    ("EVENT/demoted-first", "1.8", "7.4"),
    ("EVENT/*", "1.8"),
    ("RANK/*", "17.7"),
    ("RACE/backup-after-forward", "17.9", "11.6"),
    ("RACE/load-back-after-forward", "17.9", "11.6"),
    ("RACE/forward-after-load-back", "17.9", "9.5"),
    ("RACE/after-reset", "17.9", "12.1"),
    ("RACE/*", "17.9"),
    ("STUTTER/match", "3.1"),
    ("STUTTER/*-replaced", "4.1"),
    ("STUTTER/*", "5.1", "8.4"),
    ("NOCRASH/Endless@*", "7.1"),
    ("NOCRASH/self-check-prefetch-*", "10.2"),
    ("NOCRASH/self-check-*", "1.6"),
    ("NOCRASH/*",),
    ("REPEAT/*",),
)
"""Signatures, as patterns, and the rules that are broken: those of the first that fits count.

No rule says that nothing may raise, or differ the next time: those are the properties themselves.
"""


ACKS = {"writing_check": "8.4", "loading_check": "9.5"}
"""Operations that give back the locks of copies, and the rules of that."""


class Rule(NamedTuple):
    """One rule of the document."""

    number: str
    title: str
    text: str
    """What it says, in Markdown, without what it says of our own code."""


def of_signature(signature: str, during: str = "") -> list[Rule]:
    """The rules that a breach is about; none for a crash. Of a wrong lock there is one more, if it
    showed ``during`` an operation that gives back locks.
    """
    numbers = next(
        (numbers for pattern, *numbers in BY_SIGNATURE if fnmatchcase(signature, pattern)), []
    )
    if signature.startswith("LOCK/") and during in ACKS:
        numbers = [*numbers, ACKS[during]]
    return [_rules()[number] for number in numbers]


@cache
def _rules() -> dict[str, Rule]:
    document = files("radixproof").joinpath("semantics.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^\*\*(\d+\.\d+) (.+?)\.\*\* (.*?)(?=\s*\*Model:\*|\s*\*Dialect:\*|^\*\*\d|^## )",
        document,
        re.MULTILINE | re.DOTALL,
    )
    return {number: Rule(number, title, text.strip()) for number, title, text in found}
