"""Functions in processes of their own."""

from __future__ import annotations

import os
import time
from functools import partial

import pytest

from radixproof.properties.reporting import child
from radixproof.properties.reporting.child import Died, in_child


def test_what_it_returns_comes_back_from_another_process() -> None:
    pid = in_child(os.getpid)
    assert pid != os.getpid()


def test_an_exception_has_no_result() -> None:
    assert in_child(partial(int, "x")) == Died(
        "raises ValueError: invalid literal for int() with base 10: 'x'"
    )


def test_the_death_of_the_process_is_no_harm() -> None:
    assert in_child(partial(os._exit, 3)) == Died("its process ends with exit code 3")


def test_a_function_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LIMIT", 0.2)
    assert in_child(partial(time.sleep, 60)) == Died("does not end within 0 seconds")
