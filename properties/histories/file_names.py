"""What files are called after a system or a signature."""

from __future__ import annotations

import builtins
import re
import zlib

LONGEST = 80
"""Characters of one name. Three of them, and a little more, are what a file system takes."""

_ERRORS = "hang|" + "|".join(
    name
    for name, one in vars(builtins).items()
    if isinstance(one, type) and issubclass(one, BaseException)
)
"""What errors are called that every system may raise, hanging among them."""

_PLAIN = re.compile(
    rf"""
    [a-z0-9]+ (-[a-z0-9]+)*                              # radix, 17
    | fault:[a-z0-9]+ (-[a-z0-9]+)*                      # a planted bug
    | sglang==[0-9]+ (\.[a-z0-9]+)*                      # a release
    | [a-z0-9]+ (_[a-z0-9]+)* :[a-z0-9]+                 # my_cache:target
    | (?!NOCRASH) [A-Z]+ (-[A-Z])? / [a-z0-9]+ ([-_][a-z0-9]+)*         # OWN-H/full_host-lost
    | NOCRASH/self-check (-[a-z0-9]+)+
    | [A-Z]+ /                                           # NOCRASH/KeyError@Tree.evict_host
      ({_ERRORS} | SIG[A-Z]+ | (?!Self|Sig|(?i:{_ERRORS})@) [A-Z][a-z0-9]+)
      @ ([a-z0-9]+ | [A-Z][a-z0-9]* \.[a-z0-9]+ (_[a-z0-9]+)*)
    """,
    re.VERBOSE | re.ASCII,
)
"""Texts that are told apart by their slugs, which have no capitals. No two rules of ours have
the same; what a system calls its errors and functions, it may call as it likes.
"""


def slug(text: str) -> str:
    """A signature, or the name of a system, as written in file names: ``lock-negative``."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def own_slug(text: str) -> str:
    """A slug that no other signature, or system, has.

    What is spelled in an unusual way, such as ``caches.lru:Target``, gets a checksum at its end:
    ``caches_lru:target`` has the same slug.
    """
    name = slug(text)
    if _PLAIN.fullmatch(text) and len(name) <= LONGEST:
        return name
    checksum = f"{zlib.crc32(text.encode('utf-8', 'backslashreplace')):08x}"
    return "-".join(filter(None, [name[: LONGEST - len(checksum) - 1].strip("-"), checksum]))


def module_name(*slugs: str) -> str:
    """The name of a module of tests, made of slugs: ``test_radix__own_full_lost__1``."""
    return "test_" + "__".join(slugs).replace("-", "_")
