"""What each step of a history did, in a few words: why it matters, as far as the tree shows it.

Only what was seen is said, from the outcome of the step and the trees before and after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from radixproof.impl.observation import NodeView
from radixproof.model.config import DEVICE, HOST, Component, Pool
from radixproof.model.key import Key
from radixproof.properties.judging.spelling import by_prefix, prefix_of, spell_node
from radixproof.properties.performing.outcomes import (
    Crashed,
    Freed,
    Inserted,
    Locked,
    Matched,
    Outcome,
    Skipped,
)
from radixproof.properties.performing.step import Act
from radixproof.properties.reporting.narrate import Narrative, Tree
from radixproof.properties.reporting.wording import listed


def effects(told: Narrative) -> tuple[str, ...]:
    """Of each step, what it did."""
    pairs = zip(told.trees, told.trees[1:], strict=False)
    return tuple(
        effect(operation, outcome, before, after)
        for (operation, outcome), (before, after) in zip(told.steps, pairs, strict=True)
    )


def effect(operation: Act, outcome: Outcome, before: Tree, after: Tree) -> str:
    """What one step did; empty if nothing of it shows."""
    if isinstance(outcome, Skipped | Crashed):
        return ""
    old, new = _Nodes.of(before), _Nodes.of(after)
    split = {end: parts for end in old.views if len(parts := new.parts(end, old)) > 1}
    made = {end for parts in split.values() for end in parts}
    added = [end for end in new.views if end not in old.views and end not in made]
    deleted = [end for end in old.views if end not in new.views]
    words = [f"splits {old.spelled(end)} into {new.all(parts)}" for end, parts in split.items()]
    words += [f"adds {new.all(added)}"] if added else []
    words += [f"deletes {old.all(deleted)}"] if deleted else []
    words += _moves(old, new)
    return "; ".join(words) or _unseen(outcome)


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The nodes of a tree by the prefix that each ends with."""

    views: dict[Key, NodeView]
    by_id: dict[int, NodeView]

    @classmethod
    def of(cls, tree: Tree) -> _Nodes:
        by_id = {view.id: view for view in tree}
        return cls(by_prefix(tree), by_id)

    def spelled(self, end: Key) -> str:
        return spell_node(self.by_id, self.views[end].id)

    def all(self, ends: Iterable[Key]) -> str:
        return listed([self.spelled(end) for end in ends])

    def parts(self, end: Key, other: _Nodes) -> list[Key]:
        """The nodes that a node of another tree is made of here, if it ends here as well."""
        parts: list[Key] = []
        length = len(other.views[end].segment)
        node = self.views.get(end)
        while node is not None and length > 0:
            parts.insert(0, prefix_of(self.by_id, node.id))
            length -= len(node.segment)
            node = self.by_id.get(node.parent)
        return parts


def _moves(old: _Nodes, new: _Nodes) -> list[str]:
    """What came, went or was exchanged in nodes that were there before and are there still."""
    groups: dict[str, list[str]] = {}
    for end, view in new.views.items():
        if end in old.views:
            for verb, components in _changes(old.views[end], view).items():
                groups.setdefault(verb, []).append(_object(new.spelled(end), view, components))
    return [f"{verb} {listed(objects)}" for verb, objects in groups.items()]


def _object(name: str, view: NodeView, components: Sequence[Component]) -> str:
    """A node, or the components of it that a verb applies to, if it has others."""
    present = {
        one for one in Component if any(view.slots[pool] for pool in (DEVICE[one], HOST[one]))
    }
    return (
        name
        if set(components) >= present
        else f"the {listed([one.name for one in components])} of {name}"
    )


def _changes(was: NodeView, now: NodeView) -> dict[str, list[Component]]:
    """How a node changed: per verb, the components that it applies to."""
    if was.pending and not now.pending:
        return {"ends the backup of": list(Component)}
    changes: dict[str, list[Component]] = {}
    for component in Component:
        verb = _moved(was, now, component)
        if verb:
            changes.setdefault(verb, []).append(component)
    return changes or _locked(was, now)


def _moved(was: NodeView, now: NodeView, component: Component) -> str:
    """How one component of a node changed place."""
    device, host = DEVICE[component], HOST[component]
    if _left(was, now, device):
        return "evicts" if now.slots[host] is None else "demotes"
    if _left(now, was, device):
        return "brings back"
    if _left(now, was, host):
        return "begins to back up" if now.pending else "backs up"
    if _left(was, now, host):
        return "takes off the host"
    exchanged = was.segment == now.segment and was.slots[device] != now.slots[device]
    return "gives other slots to" if exchanged else ""


def _left(was: NodeView, now: NodeView, pool: Pool) -> bool:
    return was.slots[pool] is not None and now.slots[pool] is None


def _locked(was: NodeView, now: NodeView) -> dict[str, list[Component]]:
    """Which locks came or went."""
    changes: dict[str, list[Component]] = {}
    for component in Component:
        before, after = ((view.locks or (0, 0, 0))[component] for view in (was, now))
        if before != after:
            verb = "locks" if after > before else "unlocks"
            changes.setdefault(verb, []).append(component)
    return changes


def _unseen(outcome: Outcome) -> str:
    """What a step that moved nothing did, by what it returned."""
    match outcome:
        case Inserted(prefix) | Matched(best=prefix) | Locked(prefix):
            return "moves nothing, but counts as a use" if prefix else "finds and leaves nothing"
        case Freed(0, 0, 0):
            return "frees nothing"
    return ""
