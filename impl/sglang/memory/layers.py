"""Which layers of the model belong to which component."""

from __future__ import annotations

from collections.abc import Sequence

from radixproof.model.config import Component, Config

PER_COMPONENT = 2


def layers_of(component: Component, config: Config) -> Sequence[int]:
    """Layer numbers of a component of a cache.

    Those of the components are interleaved, as in real models: then a copy of the wrong layer
    shows. Together they are dense: SGLang's controller counts the layers that it knows, and loads
    those below that count.
    """
    first, step = config.components.index(component), len(config.components)
    return tuple(first + turn * step for turn in range(PER_COMPONENT))
