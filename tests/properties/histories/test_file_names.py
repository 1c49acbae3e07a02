"""Names of files, from signatures and systems."""

from __future__ import annotations

import pytest

from radixproof.model.verdict import Property
from radixproof.properties.histories.file_names import slug


@pytest.mark.parametrize("label", [item.label for item in Property])
def test_labels_make_file_names(label: str) -> None:
    assert slug(f"{label}/never_backed-up").replace("-", "").isalnum()


def test_signatures_and_names_of_systems_make_file_names() -> None:
    assert slug("OWN-H/full_host-lost") == "own-h-full-host-lost"
    assert slug("NOCRASH/KeyError@Tree.<locals>.unlink") == "nocrash-keyerror-tree-locals-unlink"
    assert slug("sglang==0.5.12.post1") == "sglang-0-5-12-post1"
