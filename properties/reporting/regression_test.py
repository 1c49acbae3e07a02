"""A finding as a pytest file to keep.

For SGLang it has SGLang's own calls in it and nothing of ours; for other systems, the history.
"""

from __future__ import annotations

import re
import shlex
import textwrap

from radixproof.impl.operations import History
from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Breach
from radixproof.properties.histories.history_json import to_json

_WIDTH = 97
"""Three less than a line may have: those of the quotes before the first."""
_SGLANG = "sglang"


class NoStandaloneTest(Exception):
    """No test that stands alone shows this finding; the message says why, as half a sentence."""


def test(system: str, history: History, breach: Breach) -> str:
    """Source of a pytest file that fails as long as ``system`` has the bug.

    ``history`` ends with the step of the ``breach``. Raises `NoStandaloneTest` if there is no such
    test, `Unavailable` if the system is the installed SGLang and none is installed.
    """
    if _is_sglang(system):
        from radixproof.impl.sglang.paste.render import render

        return render(history, breach, _version(system))
    name = re.sub(r"[^a-z0-9]+", "_", breach.signature.lower()).strip("_")
    return _FILE.format(
        docstring=_docstring(system, breach), history=_embedded(history), name=name, system=system
    )


def command(system: str, file: str) -> str:
    """The command that runs the written test, on the release it was found in."""
    if not _is_sglang(system):
        return shlex.join(["pytest", file])
    plugin = ["-p", "radixproof.impl.sglang.plugin", "--sglang", _version(system)]
    return shlex.join(["pytest", *plugin, file])


_FILE = """{docstring}

from radixproof.impl import registry
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.running.run import run_history

HISTORY = {history}


def test_{name}():
    bad = run_history(registry.find("{system}"), from_json(HISTORY))
    assert bad is None, f"step {{bad.step + 1}}: {{bad.breach.signature}}: {{bad.breach.text}}"
"""


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
