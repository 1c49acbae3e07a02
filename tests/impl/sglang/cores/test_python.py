"""Trees written in Python: what is shown of nodes that have not changed, and of those that have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from radixproof.impl.observation import NodeView
from radixproof.impl.sglang.api import Capabilities
from radixproof.impl.sglang.cores.python import PythonCore


class Key(tuple[int, ...]):
    """A key as SGLang's: tokens, and what keeps namespaces apart."""

    extra_key = None


def data(value: Any = None) -> SimpleNamespace:
    return SimpleNamespace(value=value, host_value=None, lock_ref=0)


def node(number: int, parent: Any, *tokens: int) -> SimpleNamespace:
    made = SimpleNamespace(id=number, parent=parent, key=Key(tokens), children={})
    made.component_data = [data(torch.tensor(tokens)), data(), data()]
    made.write_through_pending_id = None
    return made


@pytest.fixture
def root() -> SimpleNamespace:
    root = SimpleNamespace(id=0, parent=None, children={})
    root.children[1] = above = node(1, root, 1, 2)
    above.children[3] = node(2, above, 3)
    return root


@pytest.fixture
def core(root: SimpleNamespace) -> PythonCore:
    tree = SimpleNamespace(root_node=root, tree_components=(0,), ongoing_write_through={})
    capabilities = SimpleNamespace(tree_core=False, pending_marks=True)
    return PythonCore(tree, cast(Capabilities, capabilities))


def below(core: PythonCore, anew: bool = False) -> NodeView:
    return core.nodes(anew)[1]


def test_a_node_that_is_as_it_was_is_not_described_again(core: PythonCore) -> None:
    assert below(core) is below(core)
    assert below(core, anew=True) is not below(core, anew=True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda node: setattr(node, "key", Key((3, 4))), "segment"),
        (lambda node: setattr(node, "parent", node.parent.parent), "parent"),
        (lambda node: setattr(node, "write_through_pending_id", 7), "pending"),
        (lambda node: setattr(node.component_data[0], "value", torch.tensor([9])), "slots"),
        (lambda node: setattr(node.component_data[0], "value", None), "slots"),
        (lambda node: setattr(node.component_data[2], "host_value", torch.tensor([9])), "slots"),
        (lambda node: setattr(node.component_data[1], "lock_ref", 1), "locks"),
    ],
)
def test_what_changes_is_seen(
    core: PythonCore, root: SimpleNamespace, change: Any, field: str
) -> None:
    before = below(core)
    change(root.children[1].children[3])
    assert getattr(below(core), field) != getattr(before, field)


def test_what_goes_and_comes_is_seen(core: PythonCore, root: SimpleNamespace) -> None:
    core.nodes(False)
    gone = root.children[1].children.pop(3)
    assert len(core.nodes(False)) == 1
    root.children[3] = gone
    gone.parent = root
    assert {view.segment: view.parent for view in core.nodes(False)} == {(1, 2): 0, (3,): 0}


def test_what_changes_in_place_is_seen_when_all_is_looked_at_anew(
    core: PythonCore, root: SimpleNamespace
) -> None:
    below(core)
    root.children[1].children[3].component_data[0].value[0] = 9
    assert below(core).slots[0] == (3,)
    assert below(core, anew=True).slots[0] == (9,)
    assert below(core).slots[0] == (9,)
