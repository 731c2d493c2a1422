"""What a data set may have read: regular files of some size, below its root."""

import os
import re
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks import datasets
from tasks.contracts.finding import Finding
from tasks.datasets import archives, images
from tasks.datasets.config import FolderDataset
from tasks.datasets.errors import DatasetError, ImageError
from tasks.datasets.files import files_below, read_bytes, text_lines
from tasks.datasets.opening import NotReadError, confined
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "camvid11.yaml")
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
WANTED = Finding.of("data.wanted_masks")


def save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PIXELS).save(path)
    return path


def read(root: Path, follow_links: bool = False) -> ReadResult:
    config = FolderDataset(
        format="folder",
        name="camvid",
        root=root,
        image_folder="images",
        mask_folder=None,
        boxes=None,
        follow_links=follow_links,
    )
    return read_dataset(config, TAXONOMY)


def listed(result: ReadResult) -> list[tuple[str, str]]:
    return [(r.file.name, r.finding.code) for r in result.rejected]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    save(tmp_path / "set" / "images" / "good.png")
    return tmp_path / "set"


@pytest.mark.parametrize("room", ["readers", "drafts"])
def test_no_reader_opens_a_file_by_itself(room: str) -> None:
    opens = re.compile(r"\.(read_bytes|read_text|open)\(|(?<![\w.])open\(|imread|fromfile")
    files = sorted((Path(datasets.__path__[0]) / room).glob("*.py"))
    assert files
    assert [path.name for path in files if opens.search(path.read_text())] == []


def test_a_pipe_and_devices_are_listed(root: Path) -> None:
    os.mkfifo(root / "images" / "pipe.png")
    (root / "images" / "zero.png").symlink_to("/dev/zero")
    result = read(root, follow_links=True)
    assert [s.id for s in result.table] == ["good"]
    assert [(r.file.name, r.finding.values["problem"]) for r in result.rejected] == [
        (name, Finding.of("data.not_regular")) for name in ("pipe.png", "zero.png")
    ]


def test_links_out_of_the_root_are_read_only_where_it_is_said(root: Path, tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "other.png")
    (root / "images" / "file.png").symlink_to(tmp_path / "elsewhere" / "other.png")
    (root / "images" / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "images" / "inside.png").symlink_to("good.png")
    result = read(root)
    assert [s.id for s in result.table] == ["good", "inside"]
    assert listed(result) == [("folder", "data.leads_out"), ("file.png", "data.not_readable")]
    assert result.rejected[1].finding.values["problem"].code == "data.leads_out"
    assert [s.id for s in read(root, follow_links=True).table] == ["file", "folder__other", "good", "inside"]


def test_a_folder_of_images_that_is_a_link_out_is_named_with_the_key(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="follow_links: true"):
        read(tmp_path / "set")


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(root)
    assert len(read(tmp_path / "linked").table) == 1


def test_dots_do_not_lead_out(root: Path, tmp_path: Path) -> None:
    save(tmp_path / "outside.png")
    with confined(root):
        assert read_bytes(root / "images" / ".." / "images" / "good.png")
        with pytest.raises(NotReadError):
            read_bytes(root / ".." / "outside.png")
    assert read_bytes(root / ".." / "outside.png")


def test_a_file_larger_than_any_image_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_LARGEST", 1 << 20)
    with (root / "images" / "sparse.png").open("wb") as stream:
        stream.truncate((1 << 20) + 1)
    (found,) = read(root).rejected
    assert found.finding.values["problem"] == Finding.of("data.too_large", size=(1 << 20) + 1, most=1 << 20)


def packed(path: Path, members: Iterable[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def test_members_that_lead_out_of_an_archive_are_listed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    names = ["/etc/hostname", str(secret), "../secret.png", "a/../../secret.png", "C:/secret.png", "good/a.png"]
    archive = packed(tmp_path / "set" / "img.zip", ((name, b"member") for name in names))
    found = files_below(archive, WANTED)
    assert found.files == [archive / "good" / "a.png"]
    assert {p.finding.code for p in found.problems} == {"data.member_leads_out"}
    assert len(found.problems) == len(names) - 1
    with pytest.raises(OSError, match="leads_out"):
        read_bytes(Path(f"{archive}/../secret.png"))


def test_a_link_an_encrypted_and_a_repeated_member(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = packed(
            tmp_path / "a.zip", [(link, b"/etc/passwd"), ("x.png", b"x"), ("twice", b"1"), ("twice", b"2")]
        )
    content = archive.read_bytes()
    at = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)  # of x.png in the directory
    archive.write_bytes(content[: at + 8] + b"\x01" + content[at + 9 :])
    found = {p.file.name: p.finding.code for p in files_below(archive, WANTED).problems}
    assert found == {"link.png": "data.not_regular", "x.png": "data.member_encrypted", "twice": "data.member_twice"}


def test_a_member_that_is_huge_when_unpacked_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_LARGEST", 1 << 20)
    archive = packed(tmp_path / "a.zip", [("bomb.png", bytes(3 << 20)), ("liar.png", bytes(3 << 20)), ("ok.png", b"1")])
    content = archive.read_bytes()
    for mark, to_size in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # the second member says it has 10 bytes
        at = content.index(mark, content.index(mark) + 1) + to_size
        content = content[:at] + (10).to_bytes(4, "little") + content[at + 4 :]
    archive.write_bytes(content)
    with pytest.raises(ImageError, match="3,145,728 bytes, and 1,048,576 are the most"):
        images.content_of(archive / "bomb.png")
    with pytest.raises(ImageError, match="damaged"):
        images.content_of(archive / "liar.png")
    assert images.content_of(archive / "ok.png") == b"1"


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_names_of_an_archive_that_does_not_say_its_encoding(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile.ZipInfo, "_encodeFilenameFlags", lambda self: (self.filename.encode(encoding), 0))
    archive = packed(tmp_path / "a.zip", [("도로/앞.png", b"1"), ("plain.png", b"2")])
    assert files_below(archive, WANTED).files == [archive / "plain.png", archive / "도로" / "앞.png"]
    assert read_bytes(archive / "도로" / "앞.png") == b"1"


def test_a_directory_that_is_damaged_is_told(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", [("a.png", b"1")])
    content = archive.read_bytes()
    for n in range(22, len(content)):
        spoilt = tmp_path / f"{n}.zip"
        spoilt.write_bytes(content[:n] + bytes([content[n] ^ 0xFF]) + content[n + 1 :])
        try:
            for path in files_below(spoilt, WANTED).files:
                read_bytes(path)
        except (DatasetError, OSError):
            continue
    assert archives.archive_of(archive).read("a.png", 1) == b"1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_texts_of_every_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("0 0.5 도로\r\n\r\n1 2\r\n".encode(encoding))
    assert text_lines(tmp_path / "a.txt") == [(1, "0 0.5 도로"), (3, "1 2")]
