"""Searches on a Ray cluster find what those of one process find, also when a node dies."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.system import Unavailable
from radixproof.properties.campaigns.plan import Plan
from radixproof.properties.campaigns.store import Store
from radixproof.properties.cli.exit_codes import CLEAN
from radixproof.properties.cli.main import main
from radixproof.properties.workers.cluster import search_on_cluster, searched
from radixproof.properties.workers.lane import Done, Event, Failed, News
from radixproof.properties.workers.searching import FindingReport
from radixproof.properties.workers.shard import Shard
from radixproof.properties.workers.side_by_side import Searched

SYSTEMS = ("fault:split-parent-not-backed-up", "fault:ack-keeps-lock", "radix")
PLAN = Plan(SYSTEMS, 1, 3, 2_000, {})

NOTICES_SOON = {
    "health_check_initial_delay_ms": 1_000,
    "health_check_period_ms": 1_000,
    "health_check_timeout_ms": 1_000,
    "health_check_failure_threshold": 2,
}
"""That a node has died."""

on_a_cluster = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="needs Ray: make cluster, or pip install 'radixproof[cluster]'",
    ),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that runs nothing, and two nodes of one processor each."""
    head = {"num_cpus": 0, "_system_config": NOTICES_SOON}
    kind = importlib.import_module("ray.cluster_utils").Cluster
    cluster = kind(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def found(events: Sequence[Event]) -> list[tuple[str, int, str, int, str]]:
    """What was found, of each shard: signatures, steps, and shortest histories."""
    return sorted(
        (event.job.system, event.job.seed, news.signature, news.at_step, news.folder.history)
        for event in events
        if isinstance(event, News) and isinstance(news := event.news, FindingReport)
    )


def ended(events: Sequence[Event]) -> list[Shard]:
    return [event.job for event in events if isinstance(event, Done)]


def alone(shards: Sequence[Shard]) -> list[Event]:
    return [event for shard in shards for event in searched(shard)]


@pytest.mark.usefixtures("cluster")
class TestCluster:
    pytestmark = on_a_cluster

    def test_a_node_that_dies_loses_nothing_and_nothing_is_found_twice(
        self, cluster: Any, tmp_path: Path
    ) -> None:
        shards = PLAN.shards(tmp_path)
        events: list[Event] = []
        with closing(search_on_cluster(shards, cluster.address)) as came:
            for event in came:
                events.append(event)
                if isinstance(event, Done) and len(ended(events)) == 3:
                    cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        assert not [event for event in events if isinstance(event, Failed)]
        assert sorted(map(str, ended(events))) == sorted(map(str, shards))
        assert all(
            isinstance(event.result, Searched) for event in events if isinstance(event, Done)
        )
        assert found(events) == found(alone(shards))
        assert len(found(events)) >= 6

    def test_a_campaign_runs_on_it_and_is_gone_on_with(
        self, cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "campaign"
        options = ["--steps", "1000", "--out", str(out), "--ray", cluster.address]
        assert main(["campaign", "radix", "--seeds", "1", *options]) == CLEAN
        more = ["--seeds", "2", "--resume"]
        assert main(["campaign", "radix", SYSTEMS[1], *more, *options]) == 2
        assert "is of another campaign" in capsys.readouterr().err
        assert main(["campaign", "radix", *more, *options]) == CLEAN
        with Store(out / "campaign.sqlite", Plan(("radix",), 1, 2, 1000, {}).description) as store:
            assert [one.seed for one in store.shards()] == [1, 2]

    def test_what_goes_wrong_with_a_shard_is_told_of_it(self, cluster: Any, tmp_path: Path) -> None:
        (shard,) = Plan(("no-such-system",), 1, 1, 100, {}).shards(tmp_path)
        (event,) = search_on_cluster([shard], cluster.address)
        assert isinstance(event, Failed)
        assert "no-such-system" in event.reason

    def test_where_there_is_no_cluster_that_is_said(self, tmp_path: Path) -> None:
        shards = PLAN.shards(tmp_path)
        with pytest.raises(Unavailable, match=r"there is no Ray cluster at 127\.0\.0\.1:1"):
            next(search_on_cluster(shards, "127.0.0.1:1"))


def test_without_ray_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("radixproof.properties.workers.cluster.import_module", missing)
    with pytest.raises(Unavailable, match=r"pip install 'radixproof\[cluster\]'"):
        next(search_on_cluster(PLAN.shards(tmp_path), "auto"))


def test_a_task_tells_all_but_its_progress(tmp_path: Path) -> None:
    shard = PLAN.shards(tmp_path)[1]
    *news, end = searched(shard)
    assert [type(event) for event in news] == [News] * len(news)
    assert found(news)
    assert isinstance(end, Done)
