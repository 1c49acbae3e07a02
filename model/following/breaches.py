"""The wording of breaches: signatures, sentences, and what a plain test can assert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from radixproof.model.config import DEVICE, HOST, POOLS, Component, EvictionPolicy, Pool
from radixproof.model.following import wrong_orders as causes
from radixproof.model.following.choice import Choice
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.trie import Amounts, Page
from radixproof.model.verdict import Breach, Property, Witness

NEVER = "never-backed-up"
"""The rule that is broken where what was due, and had room, was not backed up (8.2)."""


def out_of_order(
    taken: Page,
    before: Page,
    component: Component,
    policy: EvictionPolicy,
    choice: Choice | None = None,
    spoilt: bool = False,
) -> Breach:
    """A victim was taken before one that is first in order (semantics 7.2, 7.3), which may be a
    leaf only since others went; a refusal may have ``spoilt`` the ``choice`` of these.
    """
    text = (
        f"{spell(taken.node())} was evicted before {spell(before.node())}, "
        "which should have gone first"
    )
    pool = DEVICE[component] if taken.has(DEVICE[component]) else HOST[component]
    witness = Witness(taken.key(), pool, held=True)
    gone = () if choice is None else (*choice.gone[Pool.FULL], *choice.gone[Pool.FULL_HOST])
    below = [page for page in gone if page.cut and page is not taken and before in page.path()]
    if not causes.ranks_apart(taken, before, component, policy):
        rule, why = causes.by_recency(component, taken, [before, *below], policy)
        return Breach(Property.RECENCY, rule, text + why, witness)
    for leaf in below:
        if choice is not None and spoilt and choice.copied(leaf):
            text += _kept(leaf)
            return Breach(Property.PROGRESS, "unbacked-leaf-kept", text, witness)
    rule, why = causes.against_policy(taken, before, below, policy)
    return Breach(Property.RECENCY, rule, text + why, witness)


def stopped_early(idle: Page, component: Component, asked: int, freed: int) -> Breach:
    """An eviction ended before enough was free, and before nothing was left (semantics 7.1)."""
    return _stopped(idle, DEVICE[component], asked, freed, "stopped-early")


def state_of_best_kept(breach: Breach, source: Page, best: Page) -> Breach:
    """No state was evicted for a copy of that of the ``source``, since one of that of the ``best``
    node was to be made, which is out of the request's reach (semantics 3.6).
    """
    text = (
        f"{breach.text}; no room was made for a copy of the state of {spell(source.node())}, while "
        f"that of {spell(best.node())} was kept for a copy, to which the request cannot get"
    )
    return replace(breach, rule="state-of-best-kept", text=text)


def unbacked_leaf_kept(end: Page) -> Breach:
    """Under write_back a leaf stayed on the device, since the host has no room (semantics 7.4)."""
    text = (
        f"{spell(end.node())} should have been deleted, since it has no host copy and the host has "
        "no room for one, but it was passed over"
    )
    witness = Witness(end.key(), Pool.FULL, held=False)
    return Breach(Property.PROGRESS, "unbacked-leaf-kept", text, witness)


def host_stopped_early(idle: Page, component: Component, asked: int, freed: int) -> Breach:
    """The same on the host (semantics 7.9)."""
    return _stopped(idle, HOST[component], asked, freed, "host-stopped-early")


def _stopped(idle: Page, pool: Pool, asked: int, freed: int, rule: str) -> Breach:
    """The breach, with a node that could still have gone (semantics 7.1, 7.9)."""
    text = f"asked for {asked}, freed {freed}, but {spell(idle.node())} could still go"
    return Breach(Property.PROGRESS, rule, text, Witness(idle.key(), pool, held=False))


def leaf_lost_a_value(end: Page, gone: Sequence[Page], policy: EvictionPolicy) -> Breach:
    """A leaf stayed, but lost a value as only an interior node may (semantics 7.3); all this has
    ``gone``.
    """
    component = Component.SWA if end.has(Pool.SWA) else Component.MAMBA
    text = (
        f"{spell(end.node())} lost a value as an interior node, before what hung below it and "
        "should have gone first"
    )
    witness = Witness(end.key(), DEVICE[component], held=True)
    rule, why = causes.among(gone, (), component, policy)
    return Breach(Property.RECENCY, rule, text + why, witness)


def window_lost_with_state(end: Page, spoilt: Choice | None = None) -> Breach:
    """An interior node lost a state, which goes alone, and its SWA with it (semantics 7.6); or for
    want of SWA, if a leaf met a refusal by which the choice was ``spoilt``, and was copied only
    then (7.4, 17.4).
    """
    text = f"{spell(end.node())} lost its state, which goes alone, and its SWA with it"
    witness = Witness(end.key(), Pool.SWA, held=True)
    leaves = [] if spoilt is None else [page for page in spoilt.gone[Pool.FULL] if page.cut]
    for leaf in leaves:
        if spoilt is not None and spoilt.copied(leaf):
            text += _kept(leaf)
            return Breach(Property.PROGRESS, "unbacked-leaf-kept", text, witness)
    return Breach(Property.PROGRESS, "window-lost-with-state", text, witness)


def _kept(leaf: Page) -> str:
    """Why something else went before a leaf that was copied in the end (semantics 7.4, 17.4)."""
    return f"; {spell(leaf.node())} should have gone before, but met a refusal and was kept"


STATE_TOO_LATE = "state-never-backed-up"
"""The rule that is broken for a state that came with the insert that backed its node up, but after
that backup, if it is never copied (8.3).
"""


def is_uncounted(counted: bool, due: Sequence[Sequence[Page]], threshold: int) -> bool:
    """Whether an insert is no use of these nodes where every insert is counted by itself, or too
    few before it were (semantics 8.1).
    """
    return not counted or all(node[-1].inserts < threshold for node in due)


def unpaid(page: Page, component: Component, busy: bool, uncounted: bool) -> str:
    """The rule that is broken if a host copy that is owed is never made: a cause has a name of its
    own (semantics 4.4, 8.2).

    A page that has a host copy of FULL got the component later; ``busy`` says that it was passed
    over because a backup was in flight then, ``uncounted`` as in `is_uncounted`.
    """
    if not page.has(Pool.FULL_HOST):
        return causes.HITS_BY_INSERT if uncounted else NEVER
    return "never-backed-up-again" if busy else f"late-{component.name.lower()}-not-backed-up"


def never_backed_up(node: Sequence[Page], host: Pool, rule: str, threshold: int) -> Breach:
    """A backup was owed, and what it should have copied is lost because it was never made (4.4,
    8.2).
    """
    return _lost(node, rule, _not_copied(node, host, rule, threshold, "never"), host)


def not_backed_up(node: Sequence[Page], host: Pool, rule: str, threshold: int) -> Breach:
    """A backup that an insert had to make was not made: the cause has the name that it has once
    something is lost by it (4.4, 8.2).
    """
    text = f"{spell(node)} {_not_copied(node, host, rule, threshold, 'not')}"
    witness = Witness(node[-1].key(), host, held=True)
    return Breach(Property.PROGRESS, rule, text, witness)


def _not_copied(node: Sequence[Page], host: Pool, rule: str, threshold: int, word: str) -> str:
    """Which copy was not made, and why it had to be: ``word`` is never, or not (4.4, 8.2)."""
    if rule == STATE_TOO_LATE:
        return (
            "was backed up by the very insert that brought its state, but before it had the state, "
            f"and that was {word} copied, although the host had room for it"
        )
    if rule not in (NEVER, causes.HITS_BY_INSERT):
        when = "while a backup was in flight" if rule.endswith("again") else "later"
        return (
            f"was backed up, and got {host.component.name} {when}, for which the host had room, "
            f"but which was {word} copied"
        )
    hits = node[-1].hits
    why = (
        f"has {hits} hit{'' if hits == 1 else 's'} (threshold {threshold}) and the host had room "
        f"for it, but it was {word} backed up"
    )
    if rule == causes.HITS_BY_INSERT:
        why += "; the inserts of a prompt that is computed in parts are a use as well"
    return why


def not_written_back(node: Sequence[Page], lost: Component, along: bool = False) -> Breach:
    """Under write_back a leaf, or a value of a node, is lost although the host has room for it. Of
    a node that has a host copy of FULL, that is a cause of its own (semantics 7.3, 7.4); so it is
    if a state goes ``along`` with SWA that has a host copy (7.6).
    """
    why = "was not written back, although the host has room for it"
    if lost is Component.FULL:
        return _lost(node, "not-written-back", why, Pool.FULL_HOST)
    late = node[-1].has(Pool.FULL_HOST)
    whose = f"{lost.name} of {spell(node)}{', whose FULL has a host copy,' if late else ''}"
    text = f"{whose} {why}; the eviction lost it"
    witness = Witness(node[-1].key(), HOST[lost], held=True)
    rule = f"{'late-' if late else ''}{lost.name.lower()}-not-written-back"
    if along:
        rule = "state-lost-with-window"
    return Breach(Property.PROGRESS, rule, text, witness)


def not_written_back_along(node: Sequence[Page], component: Component) -> Breach:
    """A node loses SWA, or a state, and keeps what should have got a host copy then (7.3)."""
    text = (
        f"{component.name} of {spell(node)} was not written back with what left the device, "
        "although the host has room for it"
    )
    return Breach(Property.PROGRESS, "not-written-back-along", text)


def _lost(node: Sequence[Page], rule: str, why: str, host: Pool) -> Breach:
    """What should have been demoted was lost (semantics 7.4)."""
    text = f"{spell(node)} {why}; the eviction lost it where it should have demoted it to the host"
    witness = Witness(node[-1].key(), host, held=True)
    return Breach(Property.PROGRESS, rule, text, witness)


def freed_too_much(last: str, witness: Witness) -> Breach:
    """An eviction went on after enough was free (semantics 7.1)."""
    text = f"{last} was evicted although enough had been freed"
    return Breach(Property.PROGRESS, "freed-too-much", text, witness)


def for_a_load(breach: Breach, asked: Amounts) -> Breach:
    """By its cause, where more was evicted for a load-back than it lacked: a window, too, though it
    went with a state that had to (semantics 9.3).
    """
    along = breach.rule == "window-lost-with-state" and asked[Component.SWA]
    if not along and breach.rule != "freed-too-much":
        return breach
    text = f"{breach.text} for the load-back"
    return replace(breach, rule="load-freed-too-much", text=text)


def should_have_waited(
    last: str,
    component: Component,
    witness: Witness,
    gone: Sequence[Page],
    stayed: Iterable[Page],
    policy: EvictionPolicy,
) -> Breach:
    """Fewer victims would have been enough, had they been taken in order (semantics 7.2)."""
    rule, why = causes.among(gone, stayed, component, policy)
    text = (
        f"{last} was evicted before data that should have gone first, which alone would have "
        f"been enough{why}"
    )
    return Breach(Property.RECENCY, rule, text, witness)


def host_leaf_kept(end: Page, pool: Pool) -> Breach:
    """A host leaf lost a value, and was not deleted with it (semantics 7.9)."""
    text = (
        f"{spell(end.node())} is a host leaf and lost its {pool.component.name}, "
        "but was not deleted"
    )
    return Breach(Property.PROGRESS, "host-leaf-kept", text)


def host_room_unneeded() -> Breach:
    """Under write_back data left the host, which had room for all that was written back (semantics
    8.3, 14.10).
    """
    text = "data was evicted from the host although it had room for all that was written back"
    return Breach(Property.PROGRESS, "host-room-unneeded", text)


def host_freed_too_much(victims: int, wanted: Amounts) -> Breach:
    """More was evicted from the host than was needed (semantics 7.9, 8.3)."""
    needed = max(0, *wanted)
    text = f"{victims} nodes were evicted from the host, more than it takes to free {needed}"
    return Breach(Property.PROGRESS, "host-freed-too-much", text)


def evicted_in_flight(page: Page, pool: Pool) -> Breach:
    """What a copy in flight marks left the host, though others could go (semantics 7.9)."""
    text = f"{spell(page.node())} left {pool.name}, though a copy of it is in flight"
    witness = Witness(page.key(), pool, held=True)
    return Breach(Property.PIN, f"{pool.name.lower()}-in-flight", text, witness)


def host_out_of_order(victims: Sequence[Page], policy: EvictionPolicy) -> Breach:
    """There were as many victims on the host as needed, but in the wrong order (semantics 7.9)."""
    rule, why = causes.among(victims, (), Component.FULL, policy)
    text = (
        "the nodes evicted from the host would have been too many in the order of use, "
        f"so they went in another order{why}"
    )
    return Breach(Property.RECENCY, rule, text)


def host_value_out_of_order(taken: Page, before: Page, pool: Pool) -> Breach:
    """SWA or a state left the host before what came to be on the host only earlier (7.9)."""
    text = (
        f"{spell(taken.node())} left {pool.name} before {spell(before.node())}, which arrived "
        "there first"
    )
    return Breach(Property.RECENCY, f"{pool.name.lower()}-order", text)


def backed_up_early(pages: Sequence[Page], path: Sequence[Page], threshold: int) -> Breach:
    """A backup was made that is not due, on the ``path`` of an insert (semantics 8.2)."""
    text = (
        f"{spell(pages)} is backed up, but neither it nor anything below it on the path has "
        f"{threshold} hits"
    )
    rule = "early"
    if any(page.inserts >= threshold for page in path if page.end >= pages[0].end):
        rule = causes.HITS_BY_INSERT
        text += causes.ONE_USE
    witness = Witness(pages[-1].key(), pages[-1].lacking()[0], held=False)
    return Breach(Property.BACKUP, rule, text, witness)


def load_not_refused(full: int, too_short: bool, choice: Choice) -> Breach:
    """A load-back went ahead, or made room, that had to be refused (semantics 9.3)."""
    rule = "load-too-short" if too_short else "load-over-quota"
    why = (
        "it is too short to be worth it"
        if too_short
        else "with what it pins on the device that is more than its quota allows"
    )
    text = f"a load-back of {full} FULL tokens went ahead, but {why}"
    return Breach(Property.PROGRESS, rule, text, _first_moved(choice))


def _first_moved(choice: Choice) -> Witness | None:
    """The end of a node that should not have come to a pool, or should not have gone (9.3)."""
    for moved, held in ((choice.gained, False), (choice.gone, True)):
        for pool, pages in zip(POOLS, moved, strict=True):
            for page in pages:
                if page.cut:
                    return Witness(page.key(), pool, held=held)
    return None


def load_refused(full: int) -> Breach:
    """A load-back was refused for lack of room, although there was room (semantics 9.3)."""
    text = f"a load-back of {full} FULL tokens was refused, but there is room for it"
    return Breach(Property.PROGRESS, "load-refused", text)
