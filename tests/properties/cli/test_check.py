"""A check as CI meets it: exit codes, what is called clean, known findings, files, processes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path
from xml.etree import ElementTree

import pytest

from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, USAGE
from radixproof.properties.cli.main import main
from radixproof.properties.search.budget import PROFILES, Budget

ROOT = Path(__file__).resolve().parents[3]
SYSTEMS = "tests.properties.workers.systems"
GOOD, BAD = f"{SYSTEMS}:target", f"{SYSTEMS}:broken"
PINNED = "PIN/full-freed"

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """Runs a check with little to do; returns its exit code and what it printed."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    short = Budget(steps=500, examples=10, example_steps=10)
    monkeypatch.setitem(PROFILES, "dev", short)
    monkeypatch.setitem(PROFILES, "ci", Budget(steps=1_500, examples=0, demand=100))
    monkeypatch.setitem(PROFILES, "nightly", Budget(steps=10**9, examples=0, demand=100))

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["check", *arguments, "--out", str(tmp_path / "out")])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def signatures(printed: str) -> list[str]:
    return re.findall(r"^  (\S+/\S+): \d+ operations?, found after", printed, re.MULTILINE)


# -- clean, or not searched enough -----------------------------------------------------------------


def test_a_system_is_clean_if_it_was_searched_enough(check: Check) -> None:
    code, printed = check(GOOD, "--profile", "ci")
    assert code == CLEAN
    assert ", clean (" in printed
    assert re.search(r"  (\d+) of \1 milestones reached\n", printed)


def test_a_search_that_met_too_few_milestones_is_not_clean(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROFILES, "ci", Budget(steps=1, examples=0, demand=100))
    code, printed = check(GOOD, "--profile", "ci", "--cold")
    assert code == CANNOT_RUN
    assert "clean" not in printed
    assert re.search(r", not searched enough \(.* s, seed 1\)", printed)
    assert re.search(r"enough: \d+ of \d+ milestones reached, and the profile ci asks for", printed)
    assert "milestones reached, but not:\n    " in printed


def test_a_short_search_that_went_not_everywhere_says_that_it_was_short(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROFILES, "dev", Budget(steps=1, examples=0, demand=0))
    code, printed = check(GOOD, "--cold")
    assert code == CLEAN
    assert ", nothing found in a short search (" in printed
    assert "clean" not in printed


@pytest.mark.parametrize("profile", ["ci", "nightly", "dev"])
def test_a_search_that_time_cut_short_is_not_clean_under_any_profile(
    profile: str, check: Check
) -> None:
    started = time.monotonic()
    code, printed = check(GOOD, "--profile", profile, "--seconds", "0.01")
    assert time.monotonic() - started < 8.0, "as soon as a process has been started"
    assert code == CANNOT_RUN
    assert "not searched enough: the time was up before the search began" in printed
    assert "clean" not in printed


def test_time_bounds_the_whole_run_and_not_each_system(check: Check) -> None:
    started = time.monotonic()
    code, printed = check(GOOD, BAD, "--profile", "nightly", "--seconds", "6")
    assert 5.0 < time.monotonic() - started < 12.0, "six, one more, and the start of a process"
    assert code == CANNOT_RUN
    assert re.search(r"not searched enough: the time was up after [\d,]+ of 1,000,000,000", printed)
    assert f"{BAD}: not searched enough: the time was up before the search began" in printed


# -- exit codes of combinations ------------------------------------------------------------------


def test_what_is_found_counts_more_than_what_could_not_be_run(check: Check) -> None:
    code, printed = check(BAD, f"{SYSTEMS}:deadly", GOOD)
    assert code == FOUND
    assert "it ended the process with exit code 7 in deadly.<locals>.build" in printed
    assert signatures(printed)
    assert f"{GOOD}: " in printed


def test_what_could_not_be_run_counts_more_than_what_is_clean(check: Check) -> None:
    code, printed = check(f"{SYSTEMS}:deadly", GOOD)
    assert code == CANNOT_RUN
    assert "nothing found in a short search" in printed or ", clean (" in printed


# -- known findings --------------------------------------------------------------------------------


def known(path: Path, *entries: str) -> Path:
    path.write_text("".join(f"[[finding]]\n{entry}\n" for entry in entries), encoding="utf-8")
    return path


def entry(signature: str, more: str = "") -> str:
    return f'signature = "{signature}"\nreason = "it is so"\n{more}'


def test_what_is_accepted_is_known_the_next_time(check: Check, tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    code, printed = check(BAD, "--accept", str(file))
    found = signatures(printed)
    assert (code, len(found) > 0) == (CLEAN, True)
    assert f"Accepted: {len(found)} new in {file}" in printed
    written = file.read_text()

    code, printed = check(BAD, "--known", str(file))
    assert code == CLEAN
    assert f", nothing new, {len(found)} known finding" in printed
    assert re.search(rf"  known: {found[0]}, met \d+ times: accepted on 20", printed)
    assert "stale" not in printed

    code, printed = check(BAD, "--accept", str(file))
    assert (code, file.read_text()) == (CLEAN, written)
    assert "Accepted: 0 new" in printed


def test_what_is_taken_out_of_the_file_is_found_again(check: Check, tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    found = signatures(check(BAD)[1])
    known(file, *map(entry, found[1:]))
    code, printed = check(BAD, "--known", str(file))
    assert code == FOUND
    assert found[0] in signatures(printed)


def test_an_entry_that_did_not_occur_is_stale_and_changes_no_exit_code(
    check: Check, tmp_path: Path
) -> None:
    file = known(tmp_path / "known.toml", entry(PINNED))
    code, printed = check(GOOD, "--profile", "ci", "--known", str(file))
    assert code == CLEAN
    assert f"warning: {PINNED} in {file} is stale: it did not occur" in printed
    assert ", clean (" in printed


def test_an_entry_about_other_systems_is_neither_applied_nor_stale(
    check: Check, tmp_path: Path
) -> None:
    file = known(tmp_path / "known.toml", entry(PINNED, 'systems = ["radix"]'))
    code, printed = check(GOOD, "--profile", "ci", "--known", str(file))
    assert (code, "stale" in printed) == (CLEAN, False)


def test_an_entry_that_has_run_out_hides_nothing(check: Check, tmp_path: Path) -> None:
    found = signatures(check(BAD)[1])
    file = known(tmp_path / "known.toml", *(entry(one, "until = 2026-01-31") for one in found))
    code, printed = check(BAD, "--known", str(file))
    assert code == FOUND
    assert signatures(printed) == found
    assert f"  {found[0]} was known until 2026-01-31, as {file} has it" in printed


def test_files_add_up_and_our_own_list_is_one_of_them(check: Check, tmp_path: Path) -> None:
    file = known(tmp_path / "known.toml", entry(PINNED))
    code, printed = check(GOOD, "--profile", "ci", "--known", str(file), "--known", "builtin")
    assert code == CLEAN
    assert printed.count("stale") == 1, "what is known of SGLang is not about this system"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--known", "missing.toml"], "cannot read missing.toml: No such file"),
        (["--known", "{wrong}"], "finding 1: it lacks 'signature'"),
        (["--accept", "{wrong}"], "finding 1: it lacks 'signature'"),
        (["--accept", "{brackets}"], "finding is a list in brackets"),
        (["--accept", "builtin"], "--accept writes a file of your own"),
    ],
)
def test_a_mistake_ends_it_before_anything_is_run(
    arguments: list[str], said: str, check: Check, tmp_path: Path
) -> None:
    wrong = known(tmp_path / "wrong.toml", 'reason = "x"')
    brackets = tmp_path / "brackets.toml"
    brackets.write_text("finding = []\n")
    code, printed = check(GOOD, *(one.format(wrong=wrong, brackets=brackets) for one in arguments))
    assert code == USAGE
    assert printed.startswith("radixproof: ")
    assert said in printed
    assert not (tmp_path / "out").exists()


# -- for other programs ----------------------------------------------------------------------------


def test_the_result_is_written_for_other_programs(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, xml, lines = (tmp_path / name for name in ("summary.md", "junit.xml", "found.jsonl"))
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, printed = check(BAD, GOOD, "--junit", str(xml), "--json", str(lines))
    assert code == FOUND
    found = signatures(printed)
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [one["signature"] for one in told] == found
    assert all(one["replay"] in printed for one in told)
    suites = ElementTree.parse(xml).getroot()
    assert [suite.attrib["failures"] for suite in suites] == [str(len(found)), "0"]
    text = summary.read_text()
    assert text.startswith("before\n")
    assert all(f"### {one.partition('@')[0]}" in text for one in found)


def test_files_that_cannot_be_written_end_it_at_once(check: Check, tmp_path: Path) -> None:
    code, printed = check(GOOD, "--junit", str(tmp_path / "no" / "junit.xml"))
    assert code == CANNOT_RUN
    assert str(tmp_path / "no") in printed
    assert "checked" not in printed


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


@FULL
def test_what_is_found_counts_though_it_cannot_be_written_for_other_programs(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    code, printed = check(BAD, "--json", "/dev/full")
    assert code == FOUND
    assert ", 1 finding (" in printed
    assert printed.count("radixproof: cannot write /dev/full (No space left on device)") == 1


@FULL
def test_nothing_is_said_to_be_clean_to_programs_that_were_told_nothing(check: Check) -> None:
    code, printed = check(GOOD, "--profile", "ci", "--junit", "/dev/full")
    assert code == CANNOT_RUN
    assert ", clean (" in printed


def test_what_cannot_be_accepted_after_all_is_found(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr("radixproof.properties.known.files.write_file", full)
    code, printed = check(BAD, "--accept", str(tmp_path / "known.toml"))
    assert code == FOUND
    assert "what was found is not accepted: No space left on device" in printed


# -- several processes -----------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_printed_and_written_does_not_depend_on_the_number_of_processes(
    check: Check, tmp_path: Path
) -> None:
    def printed(jobs: int) -> list[str]:
        lines = tmp_path / f"{jobs}.jsonl"
        _, out = check(BAD, GOOD, f"{SYSTEMS}:deadly", "-j", str(jobs), "--json", str(lines))
        out = re.sub(r"[\d.]+ s\b", "some time", out)
        kept = [line for line in out.splitlines() if " steps; " not in line]
        return [
            *(one for one in kept if not re.search(r": \d+ of \d+ steps", one)),
            lines.read_text(),
        ]

    alone = printed(1)
    assert len(alone) > 20
    assert printed(3) == alone


# -- pages -----------------------------------------------------------------------------------------


def test_what_is_found_is_opened_in_a_browser_if_asked_for(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert check(GOOD, "--html")[1].endswith("There is no page to open: nothing was found.\n")
    code, printed = check(BAD, "fault:ack-keeps-lock", "--html")
    assert code == FOUND
    (page,) = opened
    found = printed.rpartition("Opening ")[2].splitlines()[0]
    assert page == Path(found).resolve().as_uri()
    assert Path(found).read_text().count("report.html") == len(
        list(tmp_path.glob("out/*/*/report.html"))
    )
