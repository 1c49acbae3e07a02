"""Matching: the longest prefix of a key that the cache can serve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from radixproof.impl.radix.node import Node
from radixproof.impl.radix.pools import Slots
from radixproof.impl.radix.tree import Tree
from radixproof.impl.radix.window import Gate, renew

_NOTHING: Slots = np.zeros(0, dtype=np.int64)


class Match(NamedTuple):
    """The prefix on the device, ending at ``device_node``, and the one on device or host, ending at ``best_node``.

    ``slots`` are the FULL slots of the former, shape [device_node.end]. Either node is the root for an empty prefix.
    """

    slots: Slots
    device_node: Node
    best_node: Node


def match(tree: Tree, window: int | None, namespace: str, tokens: tuple[int, ...]) -> Match:
    """Match ``tokens`` (whole pages), splitting the node in which the match ends (semantics 3).

    What the best prefix uses becomes most recently used; the rest of the path, and of a node that was split, does not.
    """
    on_device, on_either = Gate(window), Gate(window)
    device_node = best_node = node = tree.root
    path: list[Node] = []
    while (child := tree.step(node, namespace, tokens, node.end)) is not None:
        node = child
        path.append(node)
        swa = node.swa
        if on_either.admits(node, swa.device is not None or swa.host is not None):
            best_node = node
        if on_device.admits(node, swa.device is not None) and node.full.device is not None:
            device_node = node
    for node in path:
        if node.end <= best_node.end:
            tree.touch(node)
    renew(tree, best_node, window)
    pieces = [node.full.device for node in path if node.end <= device_node.end and node.full.device is not None]
    return Match(np.concatenate(pieces) if pieces else _NOTHING, device_node, best_node)
