"""A finding as a pytest file to keep, which was seen to fail.

For SGLang it has SGLang's own calls in it and nothing of ours; for other systems, the history.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any

from radixproof.impl import registry
from radixproof.impl.operations import History, Insert, Match, Operation
from radixproof.impl.sglang.paste.requests import Call
from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Breach, Property
from radixproof.properties.performing.outcomes import Matched, Skipped
from radixproof.properties.reporting import proof
from radixproof.properties.reporting.effects import effects
from radixproof.properties.reporting.narrate import Narrative, narrate
from radixproof.properties.reporting.recording import recording
from radixproof.properties.reporting.source import source

_WIDTH = 97
"""Three less than a line may have: those of the quotes before the first."""
_SGLANG = "sglang"


class NoStandaloneTest(Exception):
    """No test that stands alone shows this finding; the message says why, as half a sentence."""


def test(system: str, history: History, breach: Breach) -> str:
    """Source of a pytest file that fails as long as ``system`` has the bug.

    ``history`` ends with the step of the ``breach``. The test was run, and failed as it says.
    Raises `NoStandaloneTest` if there is no such test, `Unavailable` if the system cannot be run.
    """
    calls: list[list[Call]] = [[]]
    target = recording(registry.find(system), calls[-1].append)
    target = recording(registry.find(_named(system)), lambda call: calls[-1].append(call))
    told = narrate(target, history, breach.signature, lambda: calls.append([]))
    if told.breach is None:
        raise NoStandaloneTest("it did not come again when the history was run step by step")
    if _is_sglang(system):
        text = _sglang_test(_version(system), history, told, told.breach, calls)
        prepare = partial(_prepare, _version(system))
    else:
        text, prepare = _own_test(system, history, told, told.breach), _nothing
    found = proof.failure(text, prepare)
    if isinstance(found, str):
        raise NoStandaloneTest(f"written as one, {found}")
    if not _is_expected(found, told.breach, system):
        raise NoStandaloneTest(
            f"written as one, it fails in another way, with {found.error} in {found.where}"
        )
    return text


def command(system: str, file: str) -> str:
    """The command that runs the written test, on the release it was found in."""
    if not _is_sglang(system):
        return shlex.join(["pytest", file])
    plugin = ["-p", "radixproof.impl.sglang.plugin", "--sglang", _version(system)]
    return shlex.join(["pytest", *plugin, file])


def _is_sglang(system: str) -> bool:
    return system == _SGLANG or system.startswith(f"{_SGLANG}==")


def _version(system: str) -> str:
    """The release that a system's name stands for."""
    from radixproof.impl.sglang import store

    version = system.partition("==")[2] or store.installed_version()
    if version is None:
        raise Unavailable(
            "SGLang is not installed in this environment; "
            "name a release, as in sglang==0.5.13.post1"
        )
    return version


def _docstring(system: str, breach: Breach) -> str:
    prose = (
        f"{breach.signature} in {system}, found by radixproof. Run it with pytest.",
        "",
        f"What must hold: {breach.violates.sentence}.",
        f"What happened: {breach.text}.",
    )
    text = "\n".join(map(_wrap, prose))
    return '"""' + text.replace("\\", "\\\\").replace('"""', "'''") + '\n"""'


def _wrap(text: str) -> str:
    return "\n".join(textwrap.wrap(" ".join(text.split()), _WIDTH, subsequent_indent="    "))


def _embedded(history: History) -> str:
    """JSON in a string of several lines. It never has three quotes in a row.

    JSON's escapes must reach its reader unchanged: with any, the string is a raw one.
    """
    text = to_json(history)
    return f'{"r" if chr(92) in text else ""}"""\n{text}"""'
