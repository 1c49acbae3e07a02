"""Mutated histories, as a user would hand them in: refused in a sentence, or replayed to the end.

Our own cache must be clean under every history that can be read. A release of SGLang may be at
fault, but it must be SGLang that is: a crash names a place in its code, and nothing that was asked
of it is more than `System` promises.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from radixproof.impl.registry import find
from radixproof.impl.sglang import store
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.histories.history_json import HistoryError, from_json
from radixproof.properties.running.run import run_history

from ...impl.sglang.scenarios.bench import RELEASES
from ...own_process import printed_by
from ...releases import each
from ..histories.mutating import mutated, texts
from ..promised import promised
from .in_this_process import lanes_stay


@pytest.mark.torture(all=10_000, share=200)
def test_mutated_files_are_refused_in_a_line_or_clean(
    cases: range,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On our own cache, through the command line."""
    lanes_stay(monkeypatch)
    files, codes = texts(), Counter[int]()
    file = tmp_path / "mutated.json"
    for number in cases:
        file.write_text(mutated(files, number), encoding="utf-8")
        code = main(["replay", str(file), "--system", "radix"])
        printed, said = capsys.readouterr()
        assert code in (CLEAN, USAGE, CANNOT_RUN), f"{number}: {code}\n{printed}{said}"
        if code == CANNOT_RUN:
            assert re.fullmatch(r"radixproof: radix cannot be built with .+\n", said), number
        if code == USAGE:
            assert re.fullmatch(rf"radixproof: {re.escape(str(file))}: .+\n", said), number
            assert len(said) < 1_000, number
        codes[code] += 1
    assert min(codes[CLEAN], codes[USAGE]) > len(cases) / 10


@pytest.mark.torture(all=10_000, share=200)
def test_mutated_histories_ask_nothing_of_a_cache_that_it_need_not_know(cases: range) -> None:
    files, target = texts(), promised(find("radix"))
    for number in cases:
        try:
            history = from_json(mutated(files, number))
        except HistoryError:
            continue
        if not target.scope.refuses(history.config):
            assert run_history(target, history, every=None) is None, number


REPLAYING = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})
from tests.properties.histories.mutated_replay import wrong_on
print(wrong_on(sys.argv[1], eval(sys.argv[2])))
"""


@pytest.mark.sglang
@pytest.mark.torture(all=10_000, share=200)
@pytest.mark.parametrize("version", each(RELEASES))
def test_mutated_histories_can_be_replayed_on_a_release(cases: range, version: str) -> None:
    """The cases are shared among the releases."""
    if version not in store.prepared():
        pytest.skip(f"run 'radixproof systems add sglang=={version}'")
    mine = cases[RELEASES.index(version) :: len(RELEASES)]
    *wrong, ran = printed_by(REPLAYING, f"sglang=={version}", repr(mine)).splitlines()
    assert not wrong
    assert int(ran.removesuffix(" ran")) > len(mine) / 10
