"""Every stage's output, by digest: built in a temporary folder, described, published by one rename."""

from tasks.store.artifact import Artifact, Manifest, StoreError
from tasks.store.digest import code_version, content_digest, file_sha256
from tasks.store.files import atomic_path, write_json
from tasks.store.section import Section
from tasks.store.store import Store

__all__ = [
    "Artifact",
    "Manifest",
    "Section",
    "Store",
    "StoreError",
    "atomic_path",
    "code_version",
    "content_digest",
    "file_sha256",
    "write_json",
]
