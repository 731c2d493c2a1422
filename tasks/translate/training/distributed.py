"""One training on several GPUs: data parallelism, one process (rank) a GPU, all on one machine.

Each rank computes its share of a batch, and gradients are averaged before each optimiser's step. They are averaged
explicitly, not by wrapping the networks in DistributedDataParallel: a method's losses call parts of its networks
(``generator.encode``) and step several optimisers on parts of the same graph, and DDP sees neither.

The ranks find each other as torchrun's do, so ``torchrun -m tasks.translate.training.worker JOB.json`` works. Started
without, the worker starts the other ranks itself, and does not take ``torch.distributed.run`` for it: that starts each
rank in a session of its own (``SubprocessHandler``), out of reach of the worker's process group. So when the run is
killed (``kill -9``), the launcher would die with it, and the ranks would keep the GPUs. Here they are in the worker's
group.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tasks.compute import REFUSED

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """This process among those of its training. Where it is the only one, nothing is exchanged."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their means over the ranks, in one exchange."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([t.detach().float().reshape(-1) for t in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for old, new in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
            old.detach().copy_(new.view_as(old))

    def follow_first(self, networks: nn.Module) -> None:
        """Make buffers (such as a pool of earlier translations) what they are in the first rank, as DDP does."""
        if self.count > 1:
            parameters = {id(p) for p in networks.parameters()}
            state = networks.state_dict(keep_vars=True).values()
            for buffer in (t for t in state if isinstance(t, Tensor) and id(t) not in parameters):
                dist.broadcast(buffer, 0)

    def first_before_others(self, call: Callable[[], T]) -> T:
        """Call a function in the first rank, then in the others; returns its result here."""
        if self.count == 1:
            return call()
        if not self.first:
            dist.barrier()
        result = call()
        if self.first:
            dist.barrier()
        dist.barrier()
        return result

    def from_first(self, value: T) -> T:
        """The first rank's value, in all of them; what the others give does not count."""
        if self.count == 1:
            return value
        told: list[Any] = [value]
        dist.broadcast_object_list(told, 0)
        return cast(T, told[0])


@contextmanager
def joined(count: int, command: Sequence[str]) -> Iterator[Ranks]:
    """Be a rank of a training of ``count`` processes until the block ends.

    Args:
        count: how many; under torchrun, what that was told counts.
        command: starts another rank.
    """
    started = "RANK" in os.environ
    if not started and count == 1:
        yield Ranks()
        return
    others = _Others([] if started else _start(count, command))
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        yield Ranks(dist.get_rank(), dist.get_world_size())
        dist.barrier()
        others.wait()
    finally:
        others.stop()
        if dist.is_initialized():
            dist.destroy_process_group()


def _start(count: int, command: Sequence[str]) -> list[subprocess.Popen[bytes]]:
    """Start ranks 1 and on, and make this process rank 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    os.environ |= {**common, "RANK": "0", "LOCAL_RANK": "0"}
    environments = ({**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(1, count))
    return [subprocess.Popen(command, env=environment) for environment in environments]


class _Others:
    """The ranks that this process started. If one of them fails, this process ends: it would wait for it for ever."""

    def __init__(self, children: list[subprocess.Popen[bytes]]) -> None:
        self._children = children
        self._ending = threading.Event()
        for child in children:
            threading.Thread(target=self._watch, args=(child,), daemon=True).start()

    def wait(self) -> None:
        """Let the ranks end by themselves."""
        for child in self._children:
            child.wait()

    def stop(self) -> None:
        """End what still runs."""
        self._ending.set()
        for child in self._children:
            child.terminate()
            child.wait()

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        if child.wait() and not self._ending.is_set():
            self.stop()
            os._exit(REFUSED)
