"""What a device is called."""

from __future__ import annotations

import pytest
import torch

from tasks.compute.device import device_kind, device_name


@pytest.mark.parametrize(("name", "kind"), [("CPU, 2 threads", "cpu"), ("cpu", "cpu"), ("A GPU, 80", "A GPU, 80")])
def test_threads_make_no_other_kind_of_device(name: str, kind: str) -> None:
    assert device_kind(name) == kind


def test_the_name_of_this_machines_cpu_is_of_its_kind() -> None:
    assert device_kind(device_name(torch.device("cpu"))) == "cpu"
