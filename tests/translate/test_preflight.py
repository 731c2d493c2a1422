"""What is said of translators when a configuration is loaded: the key that is wrong, and a sentence."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tasks.catalogue.language import say, speaking
from tasks.store.digest import file_sha256
from tasks.translate.config import Translator
from tasks.translate.preflight import size_problems, translator_problems


def told(method: str = "cut", training: dict[str, Any] | None = None, **fields: Any) -> list[tuple[str, str]]:
    """The dotted keys and sentences of a translator's section."""
    values = {"method": method, "training": {"iterations": 1, **(training or {})}, **fields}
    problems = list(translator_problems(TypeAdapter(Translator).validate_python(values)))
    with speaking("ko"):
        assert all(say(p.finding) for p in problems)
    return [(".".join(map(str, p.place)), say(p.finding)) for p in problems]


def test_crop_wider_than_its_image() -> None:
    assert told(training={"crop": 128, "width": 128}) == told(training={"crop": 512}) == []
    ((place, sentence),) = told(training={"crop": 256, "width": 240})
    assert place == "training.crop"
    assert sentence.startswith("crops of 256 pixels from images that are loaded 240 pixels wide")


def test_given_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    weights = {"path": path, "sha256": "0" * 64}
    assert told(weights=weights)[0][0] == "weights.path"
    path.write_bytes(b"w")
    ((place, sentence),) = told(weights=weights)
    assert place == "weights.sha256"
    assert file_sha256(path) in sentence
    # Nothing is trained: what training would need is not looked at.
    assert told(weights={"path": path, "sha256": file_sha256(path)}, training={"crop": 256, "width": 240}) == []


def test_features(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    features = {"network": "segmenter", "path": tmp_path / "model", "sha256": "0" * 64}
    ((place, sentence),) = told("vsait", features=features)
    assert place == "features.path"
    assert sentence.startswith(f"there is no file {tmp_path / 'model' / 'checkpoint.pth'};")
    ((place, _),) = told("vsait", features={**features, "network": "vgg19"})
    assert place == "features.path"
    assert told("vsait", features={"network": "random"}) == []


def test_methods_that_learn_nothing() -> None:
    assert list(translator_problems(TypeAdapter(Translator).validate_python({"method": "reinhard"}))) == []


def read(sizes: dict[tuple[int, int], int], **training: Any) -> list[tuple[str, str]]:
    """The dotted keys and sentences of a translator whose source has these sizes; the target is large."""
    values = {"method": "cut", "training": {"iterations": 1, "crop": 64, **training}}
    config = TypeAdapter(Translator).validate_python(values)
    problems = list(size_problems(config, {"source": sizes, "target": {(512, 256): 9}}))
    with speaking("ko"):
        assert all(say(p.finding) for p in problems)
    return [(".".join(map(str, p.place)), say(p.finding)) for p in problems]


def test_images_smaller_than_the_crops() -> None:
    assert read({(128, 64): 3}) == []
    ((place, sentence),) = read({(128, 64): 3, (128, 60): 2, (50, 90): 1})
    assert place == "training.crop"
    assert sentence.startswith(
        "3 of the images of source are smaller than the 64x64 crops at training size, such as 50x90"
    )
    assert read({(128, 60): 2}, width=256) == []
    assert all("such as 100x50" in sentence for _, sentence in read({(256, 128): 2}, width=100))
    assert len(read({(256, 128): 2}, width=100)) == 2  # the target, too


def test_few_images_smaller_than_the_crops_are_tolerated() -> None:
    values = {"method": "cut", "training": {"iterations": 1, "crop": 64}}
    config = TypeAdapter(Translator).validate_python(values)
    sizes = {"source": {(128, 64): 19, (20, 64): 1}, "target": {(512, 256): 9}}
    assert list(size_problems(config, sizes, 0.05)) == []
    assert len(list(size_problems(config, sizes, 0.04))) == 1


def test_images_smaller_than_the_network(tmp_path: Path) -> None:
    weights = {"path": tmp_path / "w", "sha256": "0" * 64}
    values = {"method": "cut", "training": {"iterations": 1}, "weights": weights}
    config = TypeAdapter(Translator).validate_python(values)
    ((problem),) = size_problems(config, {"source": {(15, 99): 1, (99, 16): 1}, "target": {}})
    assert say(problem.finding).startswith("1 of the images of source are smaller than the 16 pixels a side")


def test_width_of_application_that_makes_no_sense() -> None:
    values = {"method": "cut", "training": {"iterations": 1, "crop": 64}}
    assert [
        p.place for p in translator_problems(TypeAdapter(Translator).validate_python(values | {"apply_width": 64}))
    ] == []
    narrow = TypeAdapter(Translator).validate_python(values | {"apply_width": 32})
    ((problem),) = translator_problems(narrow)
    assert problem.place == ("apply_width",)
    assert say(problem.finding).startswith("images would be translated 32 pixels wide by a network that is trained on")
    wide = TypeAdapter(Translator).validate_python(values | {"apply_width": 200})
    sizes = {"source": {(128, 64): 3, (199, 64): 1, (200, 90): 5}, "target": {(128, 64): 9}}
    ((problem),) = size_problems(wide, sizes)
    assert problem.place == ("apply_width",)
    assert say(problem.finding).startswith("4 of the images of source are narrower than 200 pixels, such as 128x64")
    with pytest.raises(ValidationError, match="apply_width"):
        TypeAdapter(Translator).validate_python(values | {"apply_width": 15})
