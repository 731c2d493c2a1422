"""Compiling a generator for training, where that works."""

from __future__ import annotations

import logging

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)

_METHODS = ("forward", "encode", "translate_and_encode")  # through which losses reach a generator


def compile_generator(network: nn.Module, probe: Tensor, backend: str = "inductor") -> bool:
    """Let a network's methods be compiled (``torch.compile``) when they are first called.

    The probe is sent through it there and back at once, so that what cannot be compiled (no C++ compiler, an operator
    without a kernel) is known before the training begins; then the network stays as it was, with a warning.

    Args:
        network: the generator.
        probe: an input of the size and the precision context of the training.
        backend: of ``torch.compile``.

    Returns:
        Whether it is compiled now.
    """
    names = [name for name in _METHODS if hasattr(network, name)]
    for name in names:
        setattr(network, name, torch.compile(getattr(network, name), backend=backend))
    try:
        network(probe).float().square().mean().backward()
    except Exception as error:  # noqa: BLE001 - whatever a compiler raises; what is wrong with the network is seen later
        for name in names:
            delattr(network, name)
        reason = str(error).strip().splitlines()
        log.warning("the generator is not compiled (%s): training goes on without", reason[0] if reason else error)
        return False
    finally:
        network.zero_grad(set_to_none=True)
    return True
