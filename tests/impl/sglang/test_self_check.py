"""How a complaint of SGLang's own check is named: by its words, without its particulars."""

from __future__ import annotations

import pytest

from radixproof.impl.sglang.self_check import complaint

HEAD = "Sanity check FAILED (1 violations across 3 nodes):\n"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("swa host LRU: +S3={1862}, +lru=set()", "swa-host-lru"),
        ("Duplicate missing: [27631, 4]", "duplicate-missing"),
        ("node 12 backed up but parent 3 not backed up", "node-backed-up-but-parent-not-backed-up"),
        ("node 7 mamba lock_ref=-1", "node-mamba"),
        ("Full host coexistence missing: {NodeIdx(1)}", "duplicate-missing"),
        ("Swa host LRU mismatch at node 1: host_only=true in_lru=false", "swa-host-lru"),
        ("node NodeIdx(4) is no leaf", "node-is-no-leaf"),
        ("[Ongoing] load_back node 5 lock_ref=0", "ongoing-load-back-node"),
    ],
)
def test_a_complaint_is_named_by_its_words(line: str, kind: str) -> None:
    found = complaint(f"{HEAD}  {line}\n  another that follows from it")
    assert (found.kind, str(found)) == (kind, line)


def test_a_complaint_of_one_line_is_named_by_that() -> None:
    assert complaint("free 3 pages twice").kind == "free-pages-twice"
