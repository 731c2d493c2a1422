"""How many images are in a network at once on a CPU, and on how many threads each."""

from __future__ import annotations

from tasks.compute.machine import threads

AT_ONCE = 2


def share_threads() -> None:
    """Let torch compute each of two images on half of this process's threads.

    To be called once, when a process that translates begins. Threads that begin later take the number over; set by
    each thread for itself, it would be that of whichever came last.
    """
    import torch  # methods without a network do without

    torch.set_num_threads(max(1, threads() // AT_ONCE))
