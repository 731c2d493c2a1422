"""Sets up the virtual environment from requirements.lock: ``python3 bootstrap.py`` (what ``make install`` calls).

It then holds the command ``sim2real``: this folder is installed as it is (editable), without anything being copied.

Needs Python 3.11 or 3.12, a C++ compiler and about 8 GB of disk, and says so in one line before anything is downloaded.
The one slow step compiles mmcv's operators; its wheel is cached, so that it happens once a machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
LOCK = HERE / "requirements.lock"
PROJECT = HERE / "pyproject.toml"
STAMP = VENV / ".installed"
PROJECT_STAMP = VENV / ".project"
PYTHON = VENV / "bin" / "python"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sim2real-pipeline" / "wheels"
DISK_GB = 8
COMPILED = "onedl-mmcv"  # published as source only, and compiled against the installed torch


def main() -> None:
    """Bring the environment to what the lock and the project say; do nothing where it already is."""
    once(STAMP, LOCK, install_packages)
    if PROJECT.is_file():  # an image's layer of packages is made without it
        once(PROJECT_STAMP, PROJECT, install_project)


def once(stamp: Path, file: Path, install: Callable[[], None]) -> None:
    """Install unless the stamp says that this was done for the file as it is."""
    wanted = hashlib.sha256(file.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        install()
        stamp.write_text(wanted)


def install_project() -> None:
    """Install this folder, so that the command ``sim2real`` is there."""
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON), "--quiet"]
    run([*uv, "--no-deps", "--no-build-isolation", "--editable", str(HERE)])
    say(f"ready: {VENV.name}/bin/sim2real")


def install_packages() -> None:
    """Install what the lock names."""
    check_machine()
    pins = read_lock()
    if not PYTHON.exists():
        run([sys.executable, "-m", "venv", str(VENV)], "python3 -m venv failed (on Debian: apt install python3-venv)")
    with tempfile.TemporaryDirectory() as folder:
        say("installing uv")
        pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "-q"]
        run([*pip, "install", "--require-hashes", "--no-deps", "-r", part(folder, {"uv": pins["uv"]})])
        say("installing the pinned packages (about 3 GB to download the first time)")
        rest = {name: pin for name, pin in pins.items() if name != COMPILED}
        install = [
            str(VENV / "bin" / "uv"),
            "pip",
            "install",
            "--python",
            str(PYTHON),
            "--no-deps",
            "--compile-bytecode",
        ]
        run([*install, "--require-hashes", "-r", part(folder, rest)])
        wheel = compiled_wheel(part(folder, {COMPILED: pins[COMPILED]}), pip, pins[COMPILED])
        run([*install, "--quiet", str(wheel)])


def check_machine() -> None:
    """Stop, in one line, where the installation cannot succeed."""
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        version = ".".join(map(str, sys.version_info[:3]))
        fail(f"Python 3.11 or 3.12 is needed, this is {version}; name another with: make PYTHON=python3.11 ...")
    compiler = os.environ.get("CXX", "").split()[:1] or [c for c in ("c++", "g++", "clang++") if shutil.which(c)]
    if not compiler or not shutil.which(compiler[0]):
        fail("a C++ compiler is needed to build mmcv's operators (on Debian: apt install g++), and none was found")
    header = Path(__import__("sysconfig").get_path("include")) / "Python.h"
    if not header.is_file():
        fail(f"Python's headers are needed to build mmcv's operators (on Debian: apt install python3-dev): no {header}")
    free = shutil.disk_usage(HERE).free / 1e9
    if not PYTHON.exists() and free < DISK_GB:
        fail(f"about {DISK_GB} GB of disk are needed, but {HERE} has {free:.1f} GB free")


def read_lock() -> dict[str, str]:
    """The lock's entries: package -> its lines, hashes included. A package may have one entry a Python version."""
    pins: dict[str, str] = {}
    for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", LOCK.read_text(encoding="utf-8")):
        if name := re.match(r"[A-Za-z0-9._-]+", entry):
            pins[name[0]] = pins.get(name[0], "") + entry
    return pins


def part(folder: str, pins: dict[str, str]) -> str:
    """Write some entries of the lock to a file of their own."""
    path = Path(folder) / f"{len(pins)}-{next(iter(pins))}.txt"
    path.write_text("".join(pins.values()), encoding="utf-8")
    return str(path)


def compiled_wheel(requirement: str, pip: list[str], pin: str) -> Path:
    """mmcv's wheel for this Python, this torch and this pin, from the cache or compiled now."""
    code = "import platform, sys, torch; print(sys.implementation.cache_tag, platform.machine(), torch.__version__)"
    abi = subprocess.run([str(PYTHON), "-c", code], check=True, capture_output=True, text=True).stdout
    cache = CACHE / f"{'-'.join(abi.split())}-{hashlib.sha256(pin.encode()).hexdigest()[:12]}"
    if found := list(cache.glob("*.whl")):
        say(f"mmcv's operators: using the wheel compiled before ({found[0].name})")
        return found[0]
    cache.mkdir(parents=True, exist_ok=True)
    say(f"compiling mmcv's operators: 5 to 15 minutes, once for this machine (started {time.strftime('%H:%M')})")
    path = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", "")])  # ninja lies there
    # The default flags add debug symbols and -O3, which triple the time and gain nothing measurable. Nothing comes from
    # pip's own cache, which does not know what torch a wheel was compiled against.
    environment = {"CFLAGS": "-g0 -O1", **os.environ, "PATH": path}
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        build = [
            *pip,
            "wheel",
            "--no-cache-dir",
            "--no-build-isolation",
            "--no-deps",
            "--require-hashes",
            "-r",
            requirement,
            "-w",
            folder,
        ]
        run(build, "mmcv's operators did not compile; the compiler's message is above", environment)
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.rename(cache / wheel.name)


def run(command: list[str], why: str | None = None, environment: dict[str, str] | None = None) -> None:
    """Run a step of the installation; stop with one line where it fails."""
    status = subprocess.run(command, env=environment).returncode
    if status:
        fail(why or f"{' '.join(command[:5])} ... ended with status {status}")


def say(text: str) -> None:
    """Announce a step."""
    print(f"bootstrap: {text}", flush=True)


def fail(text: str) -> None:
    """Stop with one line."""
    sys.exit(f"bootstrap: {text}")


if __name__ == "__main__":
    main()
