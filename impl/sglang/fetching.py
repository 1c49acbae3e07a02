"""A release of SGLang fetched by pip, as a wheel, and unpacked."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from radixproof.impl.sglang.wheel_record import damage
from radixproof.impl.system import Unavailable

TREE = Path("sglang", "srt", "mem_cache", "unified_radix_cache.py")
"""What a release must contain to be usable here."""


def fetch(version: str, into: Path, progress: Callable[[str], None]) -> Path:
    """The wheel of a version, fetched into a folder and unpacked there; returns where.

    Raises `Unavailable` if that cannot be done, and `OSError` if there is no room for it.
    """
    progress(f"fetching the wheel of SGLang {version}")
    wheel = _download(version, into)
    progress(f"unpacking {wheel.name}")
    unpacked = into / "release"
    _unpack(wheel, unpacked)
    return unpacked


def check_pip(version: str) -> None:
    """Raises `Unavailable` where there is no pip."""
    if importlib.util.find_spec("pip") is None:
        raise Unavailable(
            f"fetching SGLang {version} needs pip, which {sys.executable} does not have"
        )


def _download(version: str, into: Path) -> Path:
    """Let pip fetch the wheel and nothing else: it knows the user's index and proxy."""
    options = [
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--retries=2",
    ]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *options,
        f"--dest={into}",
        f"sglang=={version}",
    ]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if result.returncode != 0:
        raise Unavailable(_why(version, result.stdout + "\n" + result.stderr))
    wheels = sorted(into.glob("*.whl"))
    if len(wheels) != 1:
        raise Unavailable(
            f"pip reported success but left {len(wheels)} wheels for SGLang {version}"
        )
    return wheels[0]


def _why(version: str, output: str) -> str:
    """One sentence that says what pip's output means."""
    offered = re.search(r"from versions: ([^)]*)\)", output)
    if offered and offered.group(1) != "none":
        newest = ", ".join(offered.group(1).split(", ")[-3:])
        return (
            f"pip finds no wheel of SGLang {version} for this Python and platform; "
            f"the newest that it finds are {newest}"
        )
    if re.search(
        r"connection|Retrying|timed out|Temporary failure|SSLError|ProxyError",
        output,
        re.IGNORECASE,
    ):
        return (
            f"pip cannot reach a package index to fetch SGLang {version} from: "
            "check the network or pip's index settings"
        )
    if offered:
        return (
            f"pip finds no SGLang {version}: check pip's index settings; "
            "there may also be no wheel of it for this Python or platform"
        )
    errors = [line.strip() for line in output.splitlines() if line.strip()]
    last = errors[-1].removeprefix("ERROR: ") if errors else "it said nothing"
    return f"pip could not fetch SGLang {version}: {last}"


def _unpack(wheel: Path, into: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(into)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise Unavailable(
            f"{wheel.name} as fetched by pip is not a readable wheel ({error})"
        ) from error
    if not (into / TREE).is_file():
        raise Unavailable(
            f"{wheel.name} has no {TREE.name}: the release is too old, or too new, to be driven"
        )
    if wrong := damage(into, content=True):
        raise Unavailable(f"{wheel.name} as fetched by pip is damaged: {wrong}")
