"""A finding as a pytest file to keep: with nothing of ours in it where the system is somebody else's, else with its history."""

from __future__ import annotations

import re
import shlex
import textwrap

from radixproof.impl.operations import History
from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Breach
from radixproof.properties.histories.history_json import to_json

WIDTH = 110


def test(system: str, history: History, breach: Breach) -> str:
    """Source of a pytest file that fails as long as ``system`` has the bug: ``history`` ends with the step of the ``breach``.

    For SGLang it uses SGLang's own API only; for other systems it runs the history, with every property checked. Raises
    `Unavailable` if the system is the installed SGLang and none is installed.
    """
    if system == "sglang" or system.startswith("sglang=="):
        from radixproof.impl.sglang import paste, store

        version = system.removeprefix("sglang==") if "==" in system else store.installed_version()
        if version is None:
            raise Unavailable(
                "SGLang is not installed in this environment; name a release, as in sglang==0.5.13.post1"
            )
        return paste.render(history, breach, version)
    name = re.sub(r"[^a-z0-9]+", "_", breach.signature.lower()).strip("_")
    return _FILE.format(
        docstring=_docstring(system, breach), history=_embedded(history), name=name, system=system
    )


_FILE = """{docstring}

from radixproof.impl import registry
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.running.run import run_history

HISTORY = {history}


def test_{name}():
    verdict = run_history(registry.find("{system}"), from_json(HISTORY))
    assert verdict is None, f"step {{verdict.step + 1}}: {{verdict.breach.signature}}: {{verdict.breach.text}}"
"""


def _docstring(system: str, breach: Breach) -> str:
    prose = [
        _wrap(f"What must hold: {breach.violates.sentence}."),
        _wrap(f"What happened: {breach.text}."),
    ]
    text = "\n".join(
        [f"{breach.signature} in {system}, found by radixproof. Run it with pytest.", "", *prose]
    )
    return '"""' + text.replace("\\", "\\\\").replace('"""', "'''") + '\n"""'


def _wrap(text: str) -> str:
    return "\n".join(textwrap.wrap(" ".join(text.split()), WIDTH, subsequent_indent="    "))


def _embedded(history: History) -> str:
    """JSON in a string of several lines. It never has three quotes in a row; what it escapes must reach the parser as it is."""
    text = to_json(history)
    return f'{"r" if chr(92) in text else ""}"""\n{text}"""'


def command(system: str, file: str) -> str:
    """The command that runs the written test, on the release it was found in."""
    if system.startswith("sglang"):
        from radixproof.impl.sglang import store

        version = system.partition("==")[2] or store.installed_version() or ""
        return shlex.join(
            ["pytest", "-p", "radixproof.impl.sglang.plugin", "--sglang", version, file]
        )
    return shlex.join(["pytest", file])
