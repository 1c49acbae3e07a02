"""The milestones that a system can reach, by what it can be put to."""

from __future__ import annotations

from radixproof.impl.scope import Scope
from radixproof.model.config import Component, Config
from radixproof.properties.coverage.milestones import Milestone
from radixproof.properties.coverage.needs import WRITE_BACK, offers

_WITH = {
    Component.SWA: Config(write_back=True, window=1, swa_pages=8, swa_host_pages=8),
    Component.MAMBA: Config(write_back=True, mamba_states=4, mamba_host_states=4),
}


def reachable(scope: Scope) -> list[Milestone]:
    """The milestones that a system with this scope can reach."""
    return [
        milestone
        for milestone in Milestone
        if all(offers(scope, need) for need in milestone.needs) and _can_be_built(scope, milestone)
    ]


def _can_be_built(scope: Scope, milestone: Milestone) -> bool:
    """Whether a scope that has components, and write_back, has both in one cache."""
    if scope.cannot is None or WRITE_BACK not in milestone.needs:
        return True
    wanted = [need if isinstance(need, tuple) else (need,) for need in milestone.needs]
    aux = [one for need in wanted for one in need if one in _WITH and one in scope.components]
    return not aux or any(not scope.cannot(_WITH[one]) for one in aux)
