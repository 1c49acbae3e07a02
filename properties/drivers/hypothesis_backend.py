"""A Hypothesis backend that draws from the seed and nothing else.

Hypothesis's own backend takes one of twenty numbers from the constants of the modules imported so
far, so that a seed means one thing in one program and another in the next. With it, most examples
of a run are made of parts of earlier ones, which find less than new ones do; with any other
backend, all are new. Hypothesis replays and shrinks a failing example as usual.
"""

from __future__ import annotations

from hypothesis.internal.conjecture.providers import (
    AVAILABLE_PROVIDERS,
    COLLECTION_DEFAULT_MAX_SIZE,
    HypothesisProvider,
)

BACKEND = "radixproof"
"""For ``settings(backend=...)``, once this module is imported."""


class UniformProvider(HypothesisProvider):
    """Bounded integers and bytes of a fixed size, each as likely as any other.

    Hypothesis draws everything else.
    """

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,
        shrink_towards: int = 0,
    ) -> int:
        if min_value is None or max_value is None or weights is not None or self._random is None:
            return super().draw_integer(
                min_value, max_value, weights=weights, shrink_towards=shrink_towards
            )
        return self._random.randint(min_value, max_value)

    def draw_bytes(self, min_size: int = 0, max_size: int = COLLECTION_DEFAULT_MAX_SIZE) -> bytes:
        if min_size < max_size or self._random is None:
            return super().draw_bytes(min_size, max_size)
        return self._random.randbytes(min_size)


AVAILABLE_PROVIDERS[BACKEND] = UniformProvider
