"""The rows that say what releases differ in: well formed, and the same as in the document."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import driven
import pytest
import write_releases

from radixproof.impl.operations import EndPrefetch, HostInsert, HostLock, Prefetch, ReleaseWindow
from radixproof.impl.scope import Scope
from radixproof.impl.sglang.names import BOTH, PYTHON, RUST
from radixproof.impl.sglang.releases import (
    DRIVEN,
    NEWEST,
    OWN_DESIGN,
    RULES,
    Rule,
    all_names,
    cores_of,
    dialect_of,
    nearest,
    scope_of,
    sight_of,
)
from radixproof.impl.sglang.store import is_version, version_key
from radixproof.impl.sight import Sight
from radixproof.impl.system import Unavailable
from radixproof.model.config import DEVICE, Component, Config, EvictionPolicy
from radixproof.model.dialect import Dialect

DOCS = Path(__file__).resolve().parents[3] / "docs"
DIALECT = {field.name for field in fields(Dialect)}
FIELDS = DIALECT | {field.name for kind in (Scope, Sight) for field in fields(kind)}
SINCE = {
    "0.5.12": set(),
    "0.5.13": {"split_keeps_hits", "swa_recency_in_window"},
    "0.5.15.post1": set(),
    "0.5.16": {"mamba_recency_at_end"},
    "0.5.17": set(),
    "0.5.18": {"duplicates_on_host"},
    "0.5.19": set(),
    "0.5.20": {"segment_locks", "windowed_backups"},
    "0.5.21": {"held_backups"},
    "0.5.22": {"host_insert_refills", "windows_under_write_back"},
    "0.5.23": set(),
}
"""Rules that each release was seen to be the first to have, as fields of its dialect."""


def test_the_releases_that_are_driven_are_those_that_make_fetches() -> None:
    text = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    listed = re.search(r"^RELEASES := \$\(addprefix sglang==,(.*?)\)", text, re.M | re.S)
    assert listed is not None
    assert tuple(listed[1].replace("\\", " ").split()) == DRIVEN
    assert sorted(DRIVEN, key=version_key) == list(DRIVEN)
    assert DRIVEN[-1] == NEWEST


def test_a_release_has_a_name_for_every_core() -> None:
    assert all_names()[:2] == ["sglang==0.5.12.post1", "sglang==0.5.13.post1"]
    assert all_names()[-2:] == ["sglang==0.5.23", "sglang==0.5.23+rust"]


@pytest.mark.parametrize("version", SINCE)
def test_the_dialect_of_a_release_has_what_came_up_to_it(version: str) -> None:
    came = [rules for first, rules in SINCE.items() if version_key(first) <= version_key(version)]
    gone = {"windows_under_write_back"} if version == "0.5.23" else set()
    dialect = dialect_of(version)
    assert {name for name in DIALECT if getattr(dialect, name)} == set().union(*came) - gone


def test_the_scope_of_a_release_has_what_came_up_to_it() -> None:
    old, new = scope_of("0.5.12.post1"), scope_of("0.5.19")
    on_host = {HostInsert, HostLock, Prefetch, EndPrefetch}
    assert set(new.operations) - set(old.operations) == {ReleaseWindow, *on_host}
    assert on_host <= set(scope_of("0.5.13").operations)
    assert ReleaseWindow not in scope_of("0.5.13.post1").operations
    assert ReleaseWindow in scope_of("0.5.14").operations
    assert old.eviction_policies == (EvictionPolicy.LRU,)
    assert new.eviction_policies == tuple(EvictionPolicy)
    assert scope_of("0.5.13").eviction_policies == tuple(EvictionPolicy)


def test_the_sight_of_a_release_has_what_came_up_to_it() -> None:
    assert sight_of("0.5.12.post1").host_hits == ()
    assert sight_of("0.5.13").host_hits == (Component.FULL,)
    assert not sight_of("0.5.19").host_locks


def test_a_core_in_rust_shows_less() -> None:
    python, rust = sight_of("0.5.23"), sight_of("0.5.23", RUST)
    assert python.locks
    assert not rust.locks
    assert (rust.slots, rust.leaf_sets, rust.lru_lists) == (DEVICE, False, False)
    assert (rust.free_lists, rust.sizes) == (python.free_lists, python.sizes)
    assert [sight_of(version, RUST).events for version in ("0.5.21", "0.5.22")] == [False, True]
    assert [cores_of(version) for version in ("0.5.18", "0.5.19")] == [(PYTHON,), (PYTHON, RUST)]
    with pytest.raises(Unavailable, match=r"0.5.18 has no Rust core: the first .* is 0.5.19"):
        sight_of("0.5.18", RUST)


@pytest.mark.parametrize(
    ("version", "core", "driven"),
    [
        ("0.5.19", PYTHON, True),
        ("0.5.19", RUST, False),
        ("0.5.19", BOTH, False),
        ("0.5.22", RUST, True),
    ],
)
def test_a_row_may_be_about_one_core(version: str, core: str, driven: bool) -> None:
    windows = Config(window=1, swa_pages=8, swa_host_pages=16, write_back=True)
    scope = scope_of(version, core)
    assert bool(scope.refuses(windows)) != driven
    assert not scope.refuses(Config(write_back=True))
    assert not scope.refuses(replace(windows, write_back=False))


@pytest.mark.parametrize(
    ("version", "driven"),
    [("0.5.19", True), ("0.5.20", False), ("0.5.21", False), ("0.5.22", True)],
)
def test_where_inserts_back_up_what_is_above_a_window_under_write_back_that_is_not_driven(
    version: str, driven: bool
) -> None:
    scope, config = scope_of(version), Config(window=1, swa_pages=8, swa_host_pages=16)
    assert not scope.refuses(config)
    assert not scope.refuses(Config(write_back=True))
    assert bool(scope.refuses(replace(config, write_back=True))) != driven


@pytest.mark.parametrize(("version", "driven"), [("0.5.15.post1", False), ("0.5.16", True)])
def test_swa_and_states_together_have_a_host_tier_from_some_release_on(
    version: str, driven: bool
) -> None:
    scope = scope_of(version)
    states = Config(mamba_states=2, mamba_host_states=2)
    both = replace(states, window=1, swa_pages=8, swa_host_pages=16)
    hostless = replace(both, host_pages=0, swa_host_pages=0, mamba_host_states=0)
    assert bool(scope.refuses(both)) != driven
    assert not scope.refuses(states)
    assert not scope.refuses(hostless)


def test_dialect_scope_and_sight_share_no_field() -> None:
    kinds = [{field.name for field in fields(kind)} for kind in (Dialect, Scope, Sight)]
    assert sum(map(len, kinds)) == len(FIELDS)


@pytest.mark.parametrize(
    "version", ["0.5.11", "0.5.12rc1", "0.5.23.post1", "0.5.24", "0.6.0", "1.0.0"]
)
def test_releases_of_another_shape_are_refused(version: str) -> None:
    for of in (dialect_of, scope_of, sight_of):
        with pytest.raises(Unavailable) as caught:
            of(version)
        assert str(caught.value) == f"radixproof drives SGLang 0.5.12 to 0.5.23, not {version}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule)
def test_a_row_is_well_formed(rule: Rule) -> None:
    assert rule.since is None or is_version(rule.since)
    assert rule.field in FIELDS | {""}
    assert rule.before or rule.field in DIALECT
    assert not (rule.since is None and rule.field)


def test_rows_come_in_order() -> None:
    versions = [rule.since for rule in RULES if rule.since is not None]
    assert versions == sorted(versions, key=version_key)
    assert [rule.since for rule in RULES[: len(versions)]] == versions


def test_every_field_of_the_dialect_has_a_row_or_is_our_own_design() -> None:
    of_releases = {rule.field for rule in RULES} & DIALECT
    assert of_releases | set(OWN_DESIGN) == DIALECT
    assert not of_releases & set(OWN_DESIGN)


def test_the_document_has_the_rows() -> None:
    text = (DOCS / "semantics.md").read_text(encoding="utf-8")
    assert text == write_releases.written(text), "run: python docs/write_releases.py"
    assert text.count("\n| 0.5.") == sum(rule.since is not None for rule in RULES)


def test_a_row_that_was_edited_by_hand_is_noticed() -> None:
    text = (DOCS / "semantics.md").read_text(encoding="utf-8")
    edited = text.replace("| 0.5.16 | a match", "| 0.5.15 | a match")
    assert edited != text
    assert write_releases.written(edited) == text


def test_what_is_not_driven_has_a_reason_and_what_is_has_none() -> None:
    thing = driven.THINGS[0]
    assert driven.row(thing)[1:] == ("all", "all", "")
    with pytest.raises(ValueError, match="a reason is needed where, and only where"):
        driven.row(thing._replace(why="it cannot"))
    with pytest.raises(ValueError, match="a reason is needed"):
        driven.row(thing._replace(driven=lambda scope, sight: not sight.locks))


def test_of_releases_in_a_row_the_first_and_the_last_are_named() -> None:
    named = ("1", "2", "3", "4")
    assert driven.ranges(named, (True, True, False, True)) == "1 to 2, 4"
    assert driven.ranges(named, (False,) * 4) == "none"


@pytest.mark.parametrize(
    ("version", "rules"),
    [
        ("0.5.16", "0.5.16"),
        ("0.5.24.dev7", "0.5.23"),
        ("1.0.0", "0.5.23"),
        ("0.0.0.dev0", "0.5.23"),
        ("of unknown version", "0.5.23"),
    ],
)
def test_what_is_newer_than_the_newest_or_unknown_is_judged_by_the_newest_rules(
    version: str, rules: str
) -> None:
    assert nearest(version) == rules


def test_what_is_too_old_is_not_judged() -> None:
    with pytest.raises(Unavailable, match=r"radixproof drives SGLang from 0.5.12 on, not 0.5.11"):
        nearest("0.5.11")
