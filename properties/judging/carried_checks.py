"""What an engine's own functions do for a request (semantics 11.5), or for a prefetch (10.2): what
they tell the tree, and what they take back from it.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace

from radixproof.impl.operations import Evict, Insert
from radixproof.model.config import Config, Pool
from radixproof.model.specification.trie import Page
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.performing.outcomes import Done
from radixproof.properties.performing.step import Carried, HandOver, ReleaseState, Step


def of_insert(config: Config, step: Step, insert: Insert) -> list[Breach]:
    """MAP and MATCH: the tree is told what the request has lost of its window, and what is left
    lets a match end where the insert does, unless more was computed than is to be kept.
    """
    carried, window = step.carried, config.window
    if carried is None:
        return []
    breaches = _of_priority(config, step, insert, carried)
    return breaches if window is None else [*breaches, *_of_window(config, step, insert, carried)]


def _of_priority(config: Config, step: Step, insert: Insert, carried: Carried) -> list[Breach]:
    """RECENCY: what a request inserts has its priority; what it has inserted before may get one
    more, so that its answer goes first (semantics 11.3).
    """
    again = len(insert.key.units(config.bigram)) <= step.protected
    if insert.priority - carried.priority in ((0, 1) if again else (0,)):
        return []
    text = f"{insert}: the request has priority {carried.priority}"
    return [Breach(Property.RECENCY, "priority-not-told", text)]


def _of_window(config: Config, step: Step, insert: Insert, carried: Carried) -> list[Breach]:
    window = config.window
    assert window is not None
    length = len(insert.key.units(config.bigram))
    lost = min(carried.evicted, length)
    if lost <= step.protected:
        return []
    if carried.told < lost:
        text = (
            f"{insert}: the request has no SWA below token {lost} any more, "
            f"but the tree was told {carried.told}"
        )
        return [Breach(Property.MAP, "window-not-told", text, _swa(config, insert, lost, False))]
    may = _may_have_lost(config, length)
    if carried.cut or carried.evicted <= max(may, step.protected):
        return []
    text = (
        f"{insert}: the request has freed its SWA below token {carried.evicted}, "
        f"which leaves less than a window of {window} tokens"
    )
    witness = _swa(config, insert, lost, True)
    return [Breach(*_why_too_much(config, carried, length, insert.state), text, witness)]


def _swa(config: Config, insert: Insert, end: int, held: bool) -> Witness:
    """Whether the page that ends there should have SWA after the insert."""
    tokens = end + (config.bigram and end > 0)
    return Witness(replace(insert.key, tokens=insert.key.tokens[:tokens]), Pool.SWA, held=held)


def _may_have_lost(config: Config, length: int) -> int:
    """Whole pages, a window and a page before the end of what is inserted (semantics 11.4)."""
    assert config.window is not None
    return config.floor(max(0, length - max(config.window, config.page_size)))


def _why_too_much(
    config: Config, carried: Carried, length: int, tracked: bool
) -> tuple[Property, str]:
    """By its cause; an insert with a state ends where this was ``tracked``, maybe earlier."""
    assert config.window is not None
    if tracked and length < config.floor(carried.computed):
        return Property.MATCH, "window-of-state-freed"
    if carried.evicted >= length:
        return Property.MAP, "leaf-without-window"
    from_units = carried.computed - 1 - max(config.window, config.page_size)
    if config.bigram and config.floor(max(0, from_units)) <= _may_have_lost(config, length):
        return Property.MAP, "window-counted-in-tokens"
    return Property.MATCH, "window-not-in-whole-pages"


def of_state(config: Config, insert: Insert, carried: Carried, wrong: list[Breach]) -> list[Breach]:
    """CONTENT of a state that came with an insert, which may sum up more than is inserted."""
    length, summed = len(insert.key.units(config.bigram)), carried.summed
    if summed is None or summed <= length:
        return wrong
    text = (
        f"{insert}: the state that came with it sums up {summed} tokens, of which it has {length}"
    )
    rule = "own-state-sums-up-more" if carried.own else "state-sums-up-more"
    return [
        replace(one, rule=rule, text=text)
        if one.witness is not None and one.witness.pool is Pool.MAMBA
        else one
        for one in wrong
    ]


def of_room(step: Step, evict: Evict) -> list[Breach]:
    """PROGRESS: the engine evicts what an allocation lacks, and neither all that it needs, nor
    less.
    """
    asked = (evict.full, evict.swa, evict.mamba)
    if step.lacking is None or asked == step.lacking:
        return []
    lacking = Evict(*step.lacking)
    if any(map(operator.gt, asked, step.lacking)):
        text = f"{evict} makes room for an allocation that lacks less: {lacking} would have done"
        return [Breach(Property.PROGRESS, "more-room-than-lacking", text)]
    text = f"{evict} makes room for an allocation that lacks more: {lacking} was called for"
    return [Breach(Property.PROGRESS, "less-room-than-lacking", text)]


def of_hand_over(step: Step, act: HandOver) -> list[Breach]:
    """What was computed, or has come, is handed over to the tree (semantics 11.2, 11.3, 10.2)."""
    if step.outcome == Done(act.due):
        return []
    if act.fetched:
        text = f"of {act.whose} so many tokens have come: {act.due}; the tree got {step.outcome}"
        return [Breach(Property.PROGRESS, "fetched-not-handed-over", text)]
    text = (
        f"of {act.whose} so many tokens were to be inserted, in whole pages: {act.due}; the tree"
        f" got {step.outcome}"
    )
    return [Breach(Property.MATCH, "computed-not-inserted", text)]


def of_released_state(act: ReleaseState, refused: bool) -> list[Breach]:
    """LOCK: a lock on a state is given back by itself only once it is of no use, and where there is
    no room for another state (semantics 6.4), or one may have been ``refused`` (17.4).
    """
    if not act.consumed:
        text = f"{act}: the request has computed nothing yet from the state that it copied"
        return [Breach(Property.LOCK, "state-released-before-use", text)]
    if act.free and not refused:
        text = f"{act}: it is given back to make room for another, for which there is room"
        return [Breach(Property.LOCK, "state-released-without-need", text)]
    return []


def of_lock(step: Step, reached: int, path: Sequence[Page]) -> list[Breach]:
    """OWN: a request goes on with all that it has handed over, which ``path`` leads to."""
    if reached >= step.given or not path:
        return []
    text = (
        f"{step.operation}: the request has handed over {step.given} tokens and goes on with "
        f"{reached} of the tree's: the slots between belong to both"
    )
    last = path[-1]
    witness = Witness(last.key(), Pool.FULL, locks=len(last.holders[Pool.FULL]) + 1)
    return [Breach(Property.OWN, "inserted-not-adopted", text, witness)]
