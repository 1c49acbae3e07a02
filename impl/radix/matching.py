"""Matching: the longest prefix of a key that the cache can serve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from radixproof.impl.radix.config import CacheConfig, Component
from radixproof.impl.radix.node import Node, Units
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.tree import Tree
from radixproof.impl.radix.window import Gate, renew, window_of

_NOTHING: Slots = np.zeros(0, dtype=np.int64)


class Match(NamedTuple):
    """The prefix on the device, ending at ``device_node``, and the best one, at ``best_node``.

    The best one may be on device or host. ``slots`` are the FULL slots of the former, shape
    [device_node.end]. Either node is the root for an empty prefix.
    """

    slots: Slots
    device_node: Node
    best_node: Node


def match(tree: Tree, config: CacheConfig, namespace: str, units: Units) -> Match:
    """Match ``units`` (whole pages), splitting the node in which the match ends (semantics 3).

    A prefix may end where its window is there and, in a cache with MAMBA, a state. What the best
    prefix uses becomes most recently used; the rest of the path, and of a node that was split, does
    not.
    """
    on_device, on_either = Gate(config.window), Gate(config.window)
    stateless = not config.stateful
    device_node = best_node = node = tree.root
    path: list[Node] = []
    while (child := tree.step(node, namespace, units, node.end)) is not None:
        node = child
        path.append(node)
        swa, mamba = node.swa, node.mamba
        state_here = stateless or mamba.device is not None
        if on_either.admits(node, swa.device is not None or swa.host is not None) and (
            state_here or mamba.host is not None
        ):
            best_node = node
        if (
            on_device.admits(node, swa.device is not None)
            and state_here
            and node.full.device is not None
        ):
            device_node = node
    for node in path:
        if node.end <= best_node.end:
            tree.touch(node)
    renew(tree, best_node, config.window)
    if best_node.mamba.device is not None:
        tree.device_order[Component.MAMBA].renew(best_node)
    return Match(path_slots(device_node), device_node, best_node)


def path_slots(node: Node) -> Slots:
    """FULL slots of the path to a node on the device, shape [node.end]."""
    pieces: list[Slots] = []
    while node.parent is not None:
        assert node.full.device is not None
        pieces.append(node.full.device)
        node = node.parent
    return np.concatenate(pieces[::-1]) if pieces else _NOTHING


def on_host_only(node: Node, window: int | None) -> tuple[int, int, int]:
    """What a prefix that ends at ``node`` uses and has on the host only, per `Component`.

    In units, and in states for MAMBA.
    """
    swa = sum(
        len(step.swa.host)
        for step in window_of(node, window)
        if step.swa.device is None and step.swa.host is not None
    )
    mamba = int(node.mamba.device is None and node.mamba.host is not None)
    full = node.end
    while node.parent is not None and node.full.device is None:
        node = node.parent
    return full - node.end, swa, mamba
