"""CrossHair on contracts: it finds what is planted, and what it reports is replayed.

The exit code gives the result.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from radixproof.properties.symbolic import contracts, crosshair
from radixproof.properties.symbolic.contracts import (
    more_quota_never_refuses,
    window_cut_leaves_one_window,
)
from radixproof.properties.symbolic.crosshair import (
    CannotRun,
    ContractJudgement,
    ContractVerdict,
    Outcome,
    judge,
    main,
    read,
    replay,
)

installed = pytest.mark.skipif(
    find_spec("crosshair") is None,
    reason="needs CrossHair, which `make symbolic` installs (the extra `symbolic`)",
)

HOLDING = "window_cut_leaves_one_window(0, 3, 2, 2)"
FAILING = "window_cut_leaves_one_window(0, 3, 3, 2)"
UNMET = "window_cut_leaves_one_window(-1, 3, 3, 2)"
"""Calls of a contract.

The second fails if windows are rounded down to pages; so would the third if its premise were met.
"""


@pytest.fixture
def rounded_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        contracts,
        "window_cut",
        lambda start, end, window, page_size: max(start, end - window // page_size * page_size),
    )


def test_a_call_that_meets_the_premise_holds_or_fails(rounded_down: None) -> None:
    outcomes = [replay(window_cut_leaves_one_window, call) for call in (HOLDING, FAILING, UNMET)]
    assert outcomes == [Outcome.HOLDS, Outcome.FAILS, Outcome.UNMET]


def test_an_error_that_the_rule_raises_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "window_cut", lambda *numbers: numbers[4])
    assert replay(window_cut_leaves_one_window, HOLDING) is Outcome.FAILS


@pytest.mark.parametrize(
    "call",
    ["window_cut_leaves_one_window(", "somewhere_else(1)", "window_cut_leaves_one_window(1)"],
)
def test_a_report_that_cannot_be_replayed_is_not_passed_over(call: str) -> None:
    with pytest.raises((SyntaxError, NameError, TypeError)):
        replay(window_cut_leaves_one_window, call)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("info: Confirmed over all paths.", "confirmed"),
        ("info: Not confirmed.", "no counterexample within the time"),
        (f"error: AssertionError:  when calling {FAILING}", f"counterexample: {FAILING}"),
        (
            f"error: AssertionError:  when calling {HOLDING}",
            f"no counterexample within the time (CrossHair reported {HOLDING}, but it holds)",
        ),
        (
            f"error: AssertionError:  when calling {UNMET}",
            f"no counterexample within the time (CrossHair reported {UNMET}, "
            "but it does not meet the premise)",
        ),
    ],
)
def test_only_what_fails_when_replayed_is_a_counterexample(
    report: str, said: str, rounded_down: None
) -> None:
    judgement = read(window_cut_leaves_one_window, f"contracts.py:1: {report}\n")
    assert str(judgement) == f"window_cut_leaves_one_window: {said}"


def test_a_report_without_a_verdict_is_not_a_clean_one() -> None:
    with pytest.raises(CannotRun, match="no verdict on window_cut_leaves_one_window:\nNotFound"):
        read(window_cut_leaves_one_window, "NotFound: Module was not found")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((ContractVerdict.CONFIRMED, ContractVerdict.OPEN), 0),
        ((ContractVerdict.REFUTED, ContractVerdict.CONFIRMED), 1),
    ],
)
def test_the_exit_code(
    verdicts: tuple[ContractVerdict, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    judgements = dict(
        zip((window_cut_leaves_one_window, more_quota_never_refuses), verdicts, strict=True)
    )
    monkeypatch.setattr(crosshair, "find_spec", lambda name: object())
    monkeypatch.setattr(
        crosshair,
        "judge",
        lambda contract, seconds: ContractJudgement(contract.__name__, judgements[contract]),
    )
    assert main([contract.__name__ for contract in judgements]) == code
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_without_crosshair_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(crosshair, "find_spec", lambda name: None)
    assert main([]) == 3
    assert "pip install 'radixproof[symbolic]'" in capsys.readouterr().err


def test_a_contract_that_is_not_there_is_a_mistake_of_the_user(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["window_cut"])
    assert "known: floor_is_the_last_whole_page" in capsys.readouterr().err


PLANTED = """

def window_nodes(path, reach):
    return path[-reach:]

def window_cut(start, end, window, page_size):
    return max(start, end - window // page_size * page_size)

def refuses_load(full, others, pins, quota, config):
    return quota is not None and full - pins > quota
"""


@installed
@pytest.mark.parametrize(
    "name",
    [
        "window_nodes_are_the_fewest_that_cover",
        "window_cut_leaves_one_window",
        "more_quota_never_refuses",
    ],
)
def test_crosshair_finds_a_planted_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted.py").write_text(inspect.getsource(contracts) + PLANTED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    contract = getattr(importlib.import_module("planted"), name)
    monkeypatch.delitem(sys.modules, "planted")
    assert judge(contract, seconds=20).verdict is ContractVerdict.REFUTED


@installed
def test_crosshair_confirms_a_contract_that_holds() -> None:
    assert judge(window_cut_leaves_one_window, seconds=20).verdict is ContractVerdict.CONFIRMED
