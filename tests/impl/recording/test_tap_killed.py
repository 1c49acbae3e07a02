"""Servers that are killed in the middle: what they did until just before is in the trace."""

from __future__ import annotations

import signal
import sysconfig
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from radixproof.impl.recording import autoload
from radixproof.properties.traces.rebuilding import rebuild
from radixproof.properties.traces.trace_file import CallLine, TraceError, lines

from .served import serve, write_server

SERVER = """
import sys, time
from itertools import count
from types import SimpleNamespace as Some
from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache, looked_up
cache = UnifiedRadixCache(Some())
for number in count(1):
    cache.match_prefix(looked_up([number % 50 + 100, number % 7 + 100, number], f"r{number}"))
    cache.cache_finished_req(Some(rid=f"r{number}", fill_ids=[number] * 4))
    if number % 20 == 0:
        sys.stdout.write(f"{number} {time.monotonic()}\\n")
        sys.stdout.flush()
        time.sleep(0.002)
"""


def done_by(told: Iterator[list[str]], moment: float) -> int:
    """Requests that the server had finished by then, as it said itself."""
    return max((int(number) for number, when in told if float(when) <= moment), default=0)


@pytest.mark.torture(all=200, share=2)
@pytest.mark.parametrize("megabytes", ["100", "0.25"], ids=["long", "rotating"])
@pytest.mark.slow
def test_a_killed_server_leaves_a_trace_that_lacks_a_second_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cases: range, megabytes: str
) -> None:
    """Also where it begins a new file every few hundred calls, and removes the oldest."""
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    write_server(tmp_path)
    autoload.install()
    for case in cases:
        traces = tmp_path / f"traces-{case}"
        where = {"RADIXPROOF_RECORD": str(traces), "RADIXPROOF_RECORD_MB": megabytes}
        server = serve(tmp_path, SERVER, **where)
        time.sleep(0.3 + Random(case).uniform(0, 1))
        killed = time.monotonic()
        server.send_signal(signal.SIGKILL)
        out, _ = server.communicate()
        done = done_by(map(str.split, out.splitlines()[:-1]), killed - 1)
        recorded = finished(traces, done)
        assert recorded >= done, f"case {case}"


def finished(traces: Path, done: int) -> int:
    """The last request that a trace has seen the end of: the scribe may still be writing."""
    for _ in range(50):
        told = []
        with suppress(TraceError):  # it removes the oldest file while it is read
            told = [*lines(traces)]
        if told:
            calls = [line for line in told if isinstance(line, CallLine) and line.call == "unlock"]
            last = max((int((call.request or "r0")[1:]) for call in calls), default=0)
            if last >= done:
                rebuild(iter(told))
                return last
        elif not done:
            return 0
        time.sleep(0.1)
    return -1
