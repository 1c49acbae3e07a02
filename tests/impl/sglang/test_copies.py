"""The copies of SGLang without a GPU take what its kernels take, and copy what these copy."""

from __future__ import annotations

import pytest
import torch

from radixproof.impl.sglang.copies import backup_all_layers, load_layer

SIZE = 2


def filled(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(-1, 1)


@pytest.mark.parametrize(("slots", "right"), [([2, 3], True), ([3, 2], False)])
def test_a_page_is_copied_from_its_first_slot_on(slots: list[int], right: bool) -> None:
    """As the kernels do it, whatever the other indices of the page are."""
    device, host = [filled(10, 11, 12, 13, 14, 15)], [torch.zeros(3, 1, SIZE, 1)]
    backup_all_layers(device, host, torch.tensor(slots), torch.tensor([4, 5]), SIZE)
    assert (host[0][2, 0].ravel().tolist() == [12, 13]) == right
    loaded = [torch.zeros(6, 1)]
    load_layer(host, loaded, torch.tensor([4, 5]), torch.tensor([0, 1]), 0, SIZE)
    assert loaded[0][:2].ravel().tolist() == host[0][2, 0].ravel().tolist()


def test_less_than_a_page_is_not_copied() -> None:
    device, host = [filled(1, 2, 3, 4)], [torch.zeros(2, 1, SIZE, 1)]
    with pytest.raises(RuntimeError, match="3 indices are no whole pages of 2"):
        backup_all_layers(device, host, torch.tensor([0, 1, 2]), torch.tensor([0, 1, 2]), SIZE)
