from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from tasks.store.code import closure
from tasks.translate.config import TranslateConfig
from tasks.translate.sections.cut import Cut
from tasks.translate.sections.vsait import Vsait

CONFIGS = Path(__file__).parents[2] / "configs" / "translators"


def test_names_default_to_the_method_and_are_unique() -> None:
    config = TranslateConfig.model_validate(
        {"translators": [{"method": "identity"}, {"method": "fda"}, {"method": "fda", "name": "fda-5", "beta": 0.05}]}
    )
    assert [t.name for t in config.translators] == ["identity", "fda", "fda-5"]
    with pytest.raises(ValidationError, match="several translators are named fda"):
        TranslateConfig.model_validate({"translators": [{"method": "fda"}, {"method": "fda"}]})


def test_unknown_method_and_key_are_errors() -> None:
    with pytest.raises(ValidationError, match="identity"):
        TranslateConfig.model_validate({"translators": [{"method": "magic"}]})
    with pytest.raises(ValidationError, match="strength"):
        TranslateConfig.model_validate({"translators": [{"method": "fda", "strength": 1}]})


def test_layers_must_exist_in_the_generator() -> None:
    cut = {"method": "cut", "training": {"iterations": 1}, "generator": {"blocks": 4}}
    with pytest.raises(ValidationError, match=r"nce.layers \[16\]: a generator of 4 blocks"):
        Cut.model_validate(cut)
    with pytest.raises(ValidationError, match="2 weights for 3 layers"):
        Cut.model_validate(cut | {"nce": {"layers": [0, 4, 8], "weights": [1, 2]}})


def test_what_training_needs_is_asked_for_unless_weights_are_given() -> None:
    given = {"weights": {"path": "w.safetensors", "sha256": "0" * 64}}
    for method, needed in {"cut": "training", "decent": "training", "vsait": "training and features"}.items():
        with pytest.raises(ValidationError, match=f"{needed}: required, unless 'weights' name a trained generator"):
            TranslateConfig.model_validate({"translators": [{"method": method}]})
        (config,) = TranslateConfig.model_validate({"translators": [{"method": method, **given}]}).translators
        assert config.model_dump(exclude_unset=True).keys() == {"method", "weights"}
    with pytest.raises(ValidationError, match="features: required, unless"):
        Vsait.model_validate({"method": "vsait", "training": {"iterations": 1}})


def test_slices_hold_what_matters_only(make_cut) -> None:
    a, b = make_cut(checkpoint_every=2), make_cut(checkpoint_every=3, sample_every=1)
    assert a.training_slice() == b.model_copy(update={"name": "other"}).training_slice()
    assert a.training_slice() != make_cut(lr=0.1).training_slice()
    assert a.translation_slice() == make_cut(lr=0.1, iterations=9).translation_slice()
    assert a.translation_slice()["generator"]["channels"] == 4


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_files_are_valid(path: Path) -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!include", lambda loader, node: loader.construct_scalar(node))
    content = yaml.load(path.read_text(), Loader)
    assert content["datasets"].endswith(".yaml#datasets")
    config = TranslateConfig.model_validate({"translators": [content["translator"]]})
    assert config.translators[0].learned


METHODS = ("command", "cut", "cyclegan", "decent", "fda", "identity", "images", "reinhard", "srunit", "vsait")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["translator", "translated"])
def test_a_setting_of_one_method_changes_no_key_of_another(method: str, kind: str) -> None:
    counted = closure(f"tasks.translate.make_{kind}", f"tasks.translate.methods.{method}")
    assert [m for m in METHODS if f"tasks.translate.sections.{m}" in counted] == [method]
