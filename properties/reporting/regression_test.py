"""A finding as a pytest file to keep, which was seen to fail.

For SGLang it has SGLang's own calls in it and nothing of ours; for other systems, the history.
"""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Sequence
from functools import partial

from radixproof.impl import registry
from radixproof.impl.operations import History
from radixproof.impl.sglang.names import is_installed, is_release
from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Breach, Property
from radixproof.properties.guarding.deaths import is_fatal
from radixproof.properties.reporting.child import Died, in_child
from radixproof.properties.reporting.effects import effects
from radixproof.properties.reporting.narrate import narrate
from radixproof.properties.reporting.proof import Failure, failure
from radixproof.properties.search.budget import STEP_SECONDS

_WIDTH = 100


class NoStandaloneTest(Exception):
    """No test that stands alone shows this finding; the message says why, as half a sentence."""


def source_of_test(
    system: str, history: History, breach: Breach, step_seconds: float = STEP_SECONDS
) -> str:
    """Source of a pytest file that fails as long as ``system`` has the bug.

    ``history`` ends with the step of the ``breach``. A step that takes longer than ``step_seconds``
    hangs. The test has been run, and has failed as it should. Raises `NoStandaloneTest` if there is
    none that does, and `Unavailable` if the system is the installed SGLang and none is installed.
    """
    if breach.violates is Property.RACE:
        raise NoStandaloneTest("no test sees what orders two copies, only what became of them")
    source, release = _written(system, history, breach, step_seconds)
    found = in_child(partial(failure, source, release))
    if isinstance(found, Died):
        raise NoStandaloneTest(f"a test of it was written, but {found.how}")
    if found is None:
        raise NoStandaloneTest("a test of it was written, but passes: it asserts too little")
    if not _is_expected(found, breach, system):
        raise NoStandaloneTest(
            f"a test of it was written, but fails with something else: {found.error} in "
            f"{found.where}"
        )
    return source


def runs_in_children(breach: Breach) -> bool:
    """Whether what it is about can only be seen by running the system in processes of their own.

    Elsewhere what looks like Ctrl-C is taken for that.
    """
    interrupts = breach.rule.startswith(f"{KeyboardInterrupt.__name__}@")
    return is_fatal(breach) or breach.violates is Property.REPEAT or interrupts


def command(system: str, file: str) -> str:
    """The command that runs the written test, on the release it was found in."""
    if not _is_sglang(system):
        return shlex.join(["pytest", file])
    plugin = ["-p", "radixproof.impl.sglang.plugin", "--sglang", _version(system)]
    return shlex.join(["pytest", *plugin, file])


def _written(
    system: str, history: History, breach: Breach, step_seconds: float
) -> tuple[str, str | None]:
    """The source, and the release of SGLang that it is for."""
    if _is_sglang(system):
        from radixproof.impl.sglang.names import core_in, named
        from radixproof.impl.sglang.paste.shown import Unwritable
        from radixproof.properties.reporting import for_sglang

        version = _version(system)
        release = named(version, core_in(system))
        try:
            return for_sglang.source(release, history, breach.signature), version
        except Unwritable as reason:
            raise NoStandaloneTest(str(reason)) from None
    notes = in_child(partial(_notes, system, history, breach.signature))
    seen = () if isinstance(notes, Died) else notes
    return _for_others(system, history, breach, seen, step_seconds), None


def _is_expected(found: Failure, breach: Breach, system: str) -> bool:
    """The history of another system may break something else first, in the same step."""
    crashes = _is_sglang(system) and breach.violates is Property.NOCRASH
    crashed = crashes and breach.rule.startswith(f"{found.error}@")
    return found.asserted or crashed


def _is_sglang(system: str) -> bool:
    return is_installed(system) or is_release(system)


def _version(system: str) -> str:
    """The release that a system's name stands for."""
    version = registry.release_of(system)
    if version is None:
        raise Unavailable(
            "SGLang is not installed in this environment; "
            "name a release, as in sglang==0.5.13.post1"
        )
    return version


# -- other systems: the history --------------------------------------------------------------------

_FILE = """{docstring}

import radixproof
from radixproof import {names}

HISTORY = {history}


def test_{name}():
    bad = radixproof.replay(radixproof.find("{system}"), HISTORY)
    assert bad is None, f"step {{bad.step + 1}}: {{bad.breach.signature}}: {{bad.breach.text}}"
"""
_FILE_IN_CHILDREN = """{docstring}

from radixproof import {names}
from radixproof.properties.workers.replaying import replay_in_children

HISTORY = {history}


def test_{name}():
    replayed = replay_in_children("{system}", HISTORY{limit})
    assert replayed.breach is None, replayed.text
"""
"""For what hangs, ends the process, or needs several runs to be seen."""


def _notes(system: str, history: History, signature: str) -> tuple[str, ...]:
    """What each step does, seen in a process of its own: the system may be one that dies."""
    return effects(narrate(registry.find(system), history, signature))


def _for_others(
    system: str, history: History, breach: Breach, notes: Sequence[str], step_seconds: float
) -> str:
    steps = [
        line
        for at, operation in enumerate(history.operations)
        for line in (*_comment(notes[at] if at < len(notes) else ""), f"        {operation!r},")
    ]
    text = "\n".join(["History(", f"    {history.config!r},", "    (", *steps, "    ),", ")"])
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    limit = "" if step_seconds == STEP_SECONDS else f", step_seconds={step_seconds!r}"
    return (_FILE_IN_CHILDREN if runs_in_children(breach) else _FILE).format(
        docstring=_docstring(system, breach),
        names=", ".join(sorted(used)),
        history=text,
        name=re.sub(r"[^a-z0-9]+", "_", breach.signature.lower()).strip("_"),
        system=system,
        limit=limit,
    )


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=8 * " " + "# ", subsequent_indent=8 * " " + "#    "
    )


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
    return "\n".join(textwrap.wrap(" ".join(text.split()), _WIDTH - 3, subsequent_indent="    "))
