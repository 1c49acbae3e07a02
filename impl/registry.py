"""Systems by name: what the command line and the tests may put under test."""

from __future__ import annotations

from radixproof.impl.system import Target, Unavailable


class UnknownSystem(LookupError):
    """No system has that name. The message says which names there are."""


def find(name: str) -> Target:
    """The system called ``name``: ``radix``, ``radix:cuda``, ``fault:NAME``, ``sglang==X``, or ``sglang`` for the installed one.

    Raises `UnknownSystem`, or `Unavailable` if it is known but cannot be run here.
    """
    if name in ("radix", "radix:cuda"):
        from radixproof.impl.radix_adapter.target import target as radix

        return radix("cuda" if name.endswith(":cuda") else "cpu")
    if name.startswith("fault:"):
        from radixproof.impl import faults

        if name.removeprefix("fault:") not in faults.FAULTS:
            raise UnknownSystem(
                f"no fault is called {name.removeprefix('fault:')!r} (known: {', '.join(sorted(faults.FAULTS))})"
            )
        return faults.target(name.removeprefix("fault:"))
    if name == "sglang" or name.startswith("sglang=="):
        from radixproof.impl.sglang import adapter, store

        version = name.removeprefix("sglang==") if "==" in name else store.installed_version()
        if "==" in name and not store.is_version(version or ""):
            raise UnknownSystem(
                f"{version!r} is not a version of SGLang; write it as in sglang==0.5.13.post1"
            )
        if version is None:
            raise Unavailable(
                "SGLang is not installed in this environment; name a release, as in sglang==0.5.13.post1"
            )
        return adapter.target(version)
    raise UnknownSystem(
        f"no system is called {name!r} (known: radix, radix:cuda, fault:NAME, sglang, sglang==VERSION)"
    )


def locally() -> list[tuple[str, str]]:
    """Names and one-line descriptions of the systems that can be run here and now."""
    from radixproof.impl import faults
    from radixproof.impl.radix_adapter.target import target as radix
    from radixproof.impl.sglang import store

    rows = [("radix", radix().summary)]
    installed = store.installed_version()
    if installed is not None:
        rows.append(("sglang", f"SGLang {installed}, as installed in this environment"))
    rows += [(f"sglang=={version}", f"SGLang {version}, prepared") for version in store.prepared()]
    rows += [
        (f"fault:{fault.name}", f"radix with a planted bug: {fault.sentence}")
        for fault in faults.FAULTS.values()
    ]
    return rows
