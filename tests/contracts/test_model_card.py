"""The card and the learning curve of a model, of today and of before."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.contracts.filed import first_problem
from tasks.contracts.model_card import InitialWeights, LossCurve, LossPoint, ModelCard, TrainSet
from tasks.store.files import write_json


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    initial = InitialWeights(weights="r50.pth", sha256="0" * 64, loaded=9, skipped=2)
    sets = (TrainSet(dataset="real", images=2), TrainSet(dataset="sim", images=3))
    card = ModelCard(task="detection", input_size=(240, 180), initial_weights=initial, train_sets=sets)
    write_json(tmp_path / "card.json", card.content())
    assert ModelCard.read(tmp_path) == card
    assert ModelCard(initial_weights=InitialWeights(weights="random")).content() == {
        "initial_weights": {"weights": "random"}
    }


@pytest.mark.parametrize(
    ("before", "weights"),
    [({}, None), ({"initial_weights": "r50.pth"}, "r50.pth"), ({"initial_weights": {"sha256": "1"}}, None)],
)
def test_older_cards_say_less(tmp_path: Path, before: dict[str, object], weights: str | None) -> None:
    write_json(tmp_path / "card.json", {"network": "fpn", "of": "no field of today", **before})
    card = ModelCard.read(tmp_path)
    assert (card.network, card.batch, card.input_size, card.train_sets) == ("fpn", None, None, ())
    assert (card.initial_weights.weights if card.initial_weights else None) == weights
    assert ("initial_weights" in before) == (card.initial_weights is not None)


def test_a_curve_is_a_list_of_points(tmp_path: Path) -> None:
    curve = LossCurve((LossPoint(iteration=20, loss=1.5), LossPoint(iteration=40, loss=0.5)))
    assert curve.content() == [{"iteration": 20, "loss": 1.5}, {"iteration": 40, "loss": 0.5}]
    write_json(tmp_path / "curve.json", curve.content())
    assert LossCurve.read(tmp_path) == curve
    write_json(tmp_path / "curve.json", [{"iteration": 20}])
    with pytest.raises(ValidationError) as refused:
        LossCurve.read(tmp_path)
    assert first_problem(refused.value) == "0.loss: Field required"
