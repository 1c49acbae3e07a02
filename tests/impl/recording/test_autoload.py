"""Servers that know nothing of it are recorded if the environment says so."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.recording import autoload

from .served import serve, write_server

SERVER = """
import time
from types import SimpleNamespace as Some
from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache, looked_up
cache = UnifiedRadixCache(Some())
cache.match_prefix(looked_up([1, 2, 3], "a"))
cache.cache_finished_req(Some(rid="a", fill_ids=[1, 2, 3, 4]))
try:
    cache.match_prefix(looked_up([13, 13]))
except ValueError:
    pass
time.sleep(0.5)
print("served")
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the server's packages, and with the entry that Python loads at its start."""
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    write_server(tmp_path)
    assert autoload.install().parent == tmp_path
    return tmp_path


def recorded(folder: Path) -> list[list[dict[str, Any]]]:
    return [
        [json.loads(line) for line in file.read_text().splitlines()]
        for file in sorted(folder.glob("*/*.jsonl"))
    ]


def test_a_server_is_recorded_without_a_change(server: Path, tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    out, errors = serve(server, SERVER, RADIXPROOF_RECORD=str(traces)).communicate()
    assert (out, errors) == ("served\n", "")
    (lines,) = recorded(traces)
    assert lines[0]["config"]["page_size"] == 2
    assert lines[0]["config"]["device_pages"] == 32
    calls = [(line["call"], line.get("request")) for line in lines if "call" in line]
    assert calls == [("match", "r1"), ("insert", "r1"), ("unlock", "r1"), ("match", None)]
    assert lines[-1]["raised"] == "ValueError"
    assert lines[-1]["where"].startswith("unified_radix_cache.py:")
    assert "13" not in lines[-1]["where"].partition(" ")[2]


def test_it_is_left_alone_where_nothing_is_said(server: Path, tmp_path: Path) -> None:
    out, errors = serve(server, SERVER).communicate()
    assert (out, errors) == ("served\n", "")
    assert not [*tmp_path.glob("**/*.jsonl")]


def test_it_serves_where_nothing_can_be_written(server: Path) -> None:
    out, errors = serve(server, SERVER, RADIXPROOF_RECORD="/dev/null/nowhere").communicate()
    assert out == "served\n"
    assert errors.startswith("radixproof cannot record: NotADirectoryError")
    assert errors.count("\n") == 1


def test_it_serves_where_its_cache_is_not_what_a_tap_expects(server: Path, tmp_path: Path) -> None:
    module = server / "sglang/srt/mem_cache/unified_radix_cache.py"
    module.write_text(module.read_text().replace("prefix_len=0", "length=0"))
    traces = tmp_path / "traces"
    out, errors = serve(server, SERVER, RADIXPROOF_RECORD=str(traces)).communicate()
    assert (out, errors) == ("served\n", "")
    (lines,) = recorded(traces)
    assert [line["call"] for line in lines if "call" in line] == ["match"], "until it failed"


def test_it_serves_where_its_cache_cannot_be_tapped(server: Path, tmp_path: Path) -> None:
    module = server / "sglang/srt/mem_cache/unified_radix_cache.py"
    module.write_text(
        module.read_text() + "\nUnifiedRadixCache.inc_lock_ref = lambda tree, node: Some()\n"
    )
    traces = tmp_path / "traces"
    out, errors = serve(server, SERVER, RADIXPROOF_RECORD=str(traces)).communicate()
    assert out == "served\n"
    assert errors.startswith("radixproof cannot record: SyntaxError")
    assert not traces.exists()


def test_an_aborted_request_is_named_and_is_over(server: Path, tmp_path: Path) -> None:
    code = SERVER.replace("try:", "cache.release_aborted_request('b')\ntry:").replace(
        "cache = UnifiedRadixCache(Some())\n",
        "cache = UnifiedRadixCache(Some())\ncache.match_prefix(looked_up([7, 8, 9], 'b'))\n",
    )
    code = code.replace("time.sleep", "cache.match_prefix(looked_up([4, 5, 6], 'b'))\ntime.sleep")
    traces = tmp_path / "traces"
    assert serve(server, code, RADIXPROOF_RECORD=str(traces)).communicate() == ("served\n", "")
    (lines,) = recorded(traces)
    keys = {line["key"]: line for line in lines if "length" in line}
    first, second = (
        keys[line["key"]]
        for line in lines
        if line.get("call") == "match" and line.get("request") in ("r1", "r3")
    )
    assert (first["length"], second["length"]) == (3, 3)
    assert first["pages"] != second["pages"], "the tokens of the second are its own"


def test_the_entry_can_be_removed(server: Path) -> None:
    assert [*server.glob("*.pth")]
    autoload.uninstall()
    assert not [*server.glob("*.pth")]
    autoload.uninstall()
