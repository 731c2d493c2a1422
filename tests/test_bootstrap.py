"""The set-up refuses, in one line and before any download, a machine that it cannot succeed on."""

import collections
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(module, "PROJECT_STAMP", tmp_path / "project")
    monkeypatch.setattr(module, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(module, "run", lambda *_: pytest.fail("something was started"))
    return module


def test_wrong_python(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    with pytest.raises(SystemExit, match=r"^bootstrap: Python 3\.11 or 3\.12 is needed, this is 3\.10\.4; [^\n]*$"):
        bootstrap.main()


def test_no_compiler(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"^bootstrap: a C\+\+ compiler is needed [^\n]*$"):
        bootstrap.main()


def test_too_little_disk(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: usage(10**10, 9 * 10**9, 10**9))
    with pytest.raises(SystemExit, match=r"^bootstrap: about 8 GB of disk are needed, but .* has 1\.0 GB free$"):
        bootstrap.main()


def test_nothing_is_done_twice(bootstrap: ModuleType) -> None:
    import hashlib

    for stamp, file in ((bootstrap.STAMP, "requirements.lock"), (bootstrap.PROJECT_STAMP, "pyproject.toml")):
        stamp.write_text(hashlib.sha256(Path(file).read_bytes()).hexdigest())
    bootstrap.main()  # `run` fails the test


def test_lock_has_a_hash_for_every_pin_and_no_address(bootstrap: ModuleType) -> None:
    text = Path("requirements.lock").read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
    pins = bootstrap.read_lock()
    assert {"uv", "torch", "prefect", bootstrap.COMPILED} <= set(pins)
    assert [name for name, pin in pins.items() if "==" not in pin or "--hash=sha256:" not in pin] == []
