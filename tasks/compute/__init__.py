"""What every kind of work runs on: processes that die with their parent, GPUs, threads, memory, progress."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.compute.config import ComputeConfig
    from tasks.compute.device import (
        Precision,
        device_kind,
        device_name,
        has_bfloat16,
        resolve_device,
        resolve_precision,
    )
    from tasks.compute.gpus import GpuError
    from tasks.compute.locking import Exclusive
    from tasks.compute.machine import Lease, Machine, leased, threads
    from tasks.compute.memory import peak_memory, tell_peak_memory
    from tasks.compute.ordered import ahead
    from tasks.compute.process import (
        EXPLAINED,
        REFUSED,
        ProcessError,
        die_with_parent,
        run_in_group,
        supervise,
        supervised,
    )
    from tasks.compute.progress import artifact_key, with_progress
    from tasks.compute.shared_memory import shared_memory_free, shared_memory_needed
    from tasks.compute.turns import AT_ONCE, share_threads
    from tasks.compute.watchdog import LOG, Deadline
    from tasks.compute.worker import do_job
else:
    __all__, __getattr__ = face(__name__, __file__)
