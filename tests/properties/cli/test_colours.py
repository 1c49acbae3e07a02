"""Reports in colour say what they say without."""

from __future__ import annotations

import pytest

from radixproof.properties.cli.colours import coloured, show

REPORT = """\
PIN/full in radix

What must hold: something.
What happened:  it is locked, but [a] was
    freed.
Rule:           6.1 Locks

History:
    1. lock r [1]
 >  2. evict full 1   -> freed 1 FULL

Tree before step 2:
  [1]  FULL device
- [1 | 2]  FULL device

Tree after step 2:
~ [1]  FULL host
+    [3]  FULL device
"""


def styles(report: str) -> dict[str, str]:
    """The style of each line that has one."""
    text = coloured(report)
    return {text.plain[one.start : one.end].strip(): str(one.style) for one in text.spans}


def test_what_was_wrong_and_what_differs_is_coloured() -> None:
    assert coloured(REPORT).plain == REPORT
    assert styles(REPORT) == {
        "PIN/full in radix": "bold",
        "What happened:  it is locked, but [a] was": "red",
        "freed.": "red",
        ">  2. evict full 1   -> freed 1 FULL": "bold red",
        "- [1 | 2]  FULL device": "red",
        "~ [1]  FULL host": "yellow",
        "+    [3]  FULL device": "green",
    }


def test_what_is_no_terminal_gets_the_text_alone(capsys: pytest.CaptureFixture[str]) -> None:
    show(REPORT)
    assert capsys.readouterr().out == REPORT


def test_a_terminal_gets_the_colours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    show(REPORT)
    out = capsys.readouterr().out
    assert "\x1b[1mPIN/full in radix" in out
    assert "[1 | 2]  FULL device" in out
