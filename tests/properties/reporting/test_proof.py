"""Pasted tests are run to see what they fail with."""

from __future__ import annotations

import pytest

from radixproof.properties.reporting.proof import Failure, failure


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("pass", None),
        ("assert 1 == 2, 'no'", Failure("AssertionError", "no", True, "test_it")),
        ("helper()", Failure("AssertionError", "own", True, "helper")),
        ("sanity_check()", Failure("AssertionError", "own", True, "sanity_check")),
        ("{}['a']", Failure("KeyError", "'a'", False, "test_it")),
    ],
)
def test_what_a_test_fails_with(body: str, expected: Failure | None) -> None:
    helpers = "".join(
        f"def {name}():\n    raise AssertionError('own')\n\n" for name in ("helper", "sanity_check")
    )
    assert failure(f"{helpers}def test_it():\n    {body}\n", None) == expected


def test_an_assertion_of_somebody_else_is_none_of_the_tests_own() -> None:
    source = "import unittest\n\n\ndef test_it():\n    unittest.TestCase().fail('other')\n"
    found = failure(source, None)
    assert found is not None
    assert not found.asserted
