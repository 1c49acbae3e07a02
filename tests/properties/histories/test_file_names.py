"""Names of files, from signatures and systems."""

from __future__ import annotations

import pytest

from radixproof.model.verdict import Property
from radixproof.properties.histories.corpus import FOLDER
from radixproof.properties.histories.file_names import LONGEST, module_name, own_slug, slug
from radixproof.properties.histories.reading import history_in


@pytest.mark.parametrize("label", [item.label for item in Property])
def test_labels_make_file_names(label: str) -> None:
    assert slug(f"{label}/never_backed-up").replace("-", "").isalnum()


def test_signatures_and_names_of_systems_make_file_names() -> None:
    assert slug("OWN-H/full_host-lost") == "own-h-full-host-lost"
    assert slug("NOCRASH/KeyError@Tree.<locals>.unlink") == "nocrash-keyerror-tree-locals-unlink"
    assert slug("sglang==0.5.12.post1") == "sglang-0-5-12-post1"


@pytest.mark.parametrize(
    "name",
    [
        "radix",
        "radix:cuda",
        "fault:split-parent-not-backed-up",
        "sglang==0.5.12.post1",
        "my_cache:target",
        "OWN-H/full_host-lost",
        "PROGRESS/load_back-outcome",
        "NOCRASH/KeyError@Tree.evict_host",
        "17",
    ],
)
def test_what_is_spelled_as_usual_has_a_plain_name(name: str) -> None:
    assert own_slug(name) == slug(name)


def test_rules_of_ours_have_plain_names_of_their_own() -> None:
    kept = [history_in(file).origin["signature"] for file in FOLDER.glob("*.json")]
    rules = {one for one in kept if not one.startswith("NOCRASH/") or "/self-check-" in one}
    assert len(rules) > 50
    assert len({slug(one) for one in rules}) == len(rules)
    assert all(own_slug(one) == slug(one) for one in rules)


def test_no_two_have_the_same_name_though_their_slugs_are_alike() -> None:
    alike = [
        ("NOCRASH/KeyError@Tree.evict", "NOCRASH/KeyError@Tree._evict"),
        ("NOCRASH/KeyError@Node.len", "NOCRASH/KeyError@Node.__len__"),
        ("NOCRASH/Full@Queue.put", "NOCRASH/_Full@Queue.put", "NOCRASH/FULL@Queue.put"),
        ("NOCRASH/KeyError@Tree.put", "NOCRASH/Keyerror@Tree.put", "NOCRASH/Key_Error@Tree.put"),
        ("NOCRASH/KeyError@Tree.put", "NOCRASH/KeyError@TREE.put", "NOCRASH/KeyError@tree.put"),
        ("NOCRASH/KeyError@RedTree.put", "NOCRASH/KeyError@Redtree.put"),
        ("NOCRASH/KeyError@Tree.put", "NOCRASH/KeyError@tree_put", "NOCRASH/KeyError@Tree.Put"),
        ("NOCRASH/hang@Tree.put", "NOCRASH/Hang@Tree.put", "NOCRASH/hang-tree-put"),
        ("NOCRASH/SIGABRT@Tree.put", "NOCRASH/Sigabrt@Tree.put"),
        ("NOCRASH/self-check-d-leaf", "NOCRASH/self-check-d_leaf", "NOCRASH/Self@Check.d_leaf"),
        ("my_cache:target", "my_cache:Target", "my.cache:target", "my:cache_target"),
        ("a:" + "b" * 200, "a:" + "b" * 201),
        ("", "ü", "ö"),
        ("tests/test_a.py::TestB", "tests/test_a.py::test_b"),
    ]
    for names in alike:
        assert len({own_slug(name) for name in names}) == len(names)
    assert all(len(own_slug(name)) <= LONGEST for names in alike for name in names)


def test_every_part_shows_in_the_name_of_a_module() -> None:
    assert module_name("radix", "own-full-lost", "1") == "test_radix__own_full_lost__1"
    assert module_name("a-own", "b") != module_name("a", "own-b")
