"""An adapter is tried on few configurations, which differ where they may."""

from __future__ import annotations

from radixproof import ONE_TIER, Config, Scope
from radixproof.properties.search.trial import differing


def test_configurations_differ_in_all_that_the_scope_allows() -> None:
    configs = list(differing(Scope()))
    assert len(configs) < 12
    for name in ("page_size", "window", "mamba_states", "host_pages", "eviction_policy", "bigram"):
        assert len({getattr(config, name) for config in configs}) > 1, name


def test_where_little_may_differ_few_are_enough() -> None:
    configs = list(differing(ONE_TIER))
    assert 2 <= len(configs) <= 3
    assert {config.host_pages for config in configs} == {0}
    assert Config() not in configs
