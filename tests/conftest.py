"""What holds for all tests: a process computes on one thread.

The networks here are tiny: more threads only wait for each other, by burning the cores that other tests could use.
Processes that tests start inherit it, where they are not told otherwise.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch and numpy are first imported
