"""Shards a minute on a Ray cluster with one processor and with two, and what a shard costs the
campaign itself.

The last is the processor time of the process that hands shards out, and keeps what they bring, over
shards that take almost none. Run: ``python benchmarks/cluster.py``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from importlib import import_module
from pathlib import Path

from radixproof.properties.campaigns.plan import Plan
from radixproof.properties.campaigns.store import Store
from radixproof.properties.workers import cluster as searching
from radixproof.properties.workers.lane import Done, News
from radixproof.properties.workers.searching import FindingReport
from radixproof.properties.workers.side_by_side import Searched

SYSTEMS = ("radix", "fault:split-parent-not-backed-up")


def measure(processors: int, seeds: int, steps: int) -> tuple[int, float, float]:
    """Shards, seconds, and processor seconds of this process."""
    cluster = import_module("ray.cluster_utils").Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0}
    )
    for _ in range(processors):
        cluster.add_node(num_cpus=1)
    plan = Plan(SYSTEMS, 1, seeds, steps, {})
    try:
        with tempfile.TemporaryDirectory() as folder:
            shards = plan.shards(Path(folder))
            warm = Plan(SYSTEMS[:1], 1, processors, 100, {}).shards(Path(folder))
            list(searching.search_on_cluster(warm, cluster.address))
            started, worked = time.monotonic(), time.process_time()
            with Store(Path(folder) / "campaign.sqlite", plan.description) as store:
                for event in searching.search_on_cluster(shards, cluster.address):
                    match event:
                        case News(shard, FindingReport() as report):
                            store.found(shard, report)
                        case Done(shard, Searched(progress, seconds)) if progress is not None:
                            store.finish(shard, progress, seconds)
            return len(shards), time.monotonic() - started, time.process_time() - worked
    finally:
        cluster.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20_000)
    options = parser.parse_args()
    for processors in (1, 2):
        shards, seconds, _ = measure(processors, options.seeds, options.steps)
        print(f"{processors} processors: {60 * shards / seconds:.1f} shards a minute", flush=True)
    shards, _, worked = measure(2, 5 * options.seeds, 100)
    each = 1000 * worked / shards
    print(f"a shard takes {each:.1f} ms of the campaign's own process ({shards} shards)")


if __name__ == "__main__":
    main()
