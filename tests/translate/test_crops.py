"""Mirroring of training crops."""

from collections.abc import Callable

import numpy as np

from tasks.datasets.table import SampleTable
from tasks.translate.sections.cut import Cut
from tasks.translate.training.crops import TrainingImages, crop_batches


def _sides(make_table: Callable[..., SampleTable], make_cut: Callable[..., Cut]) -> list[tuple[TrainingImages, ...]]:
    """Each side with and without mirroring."""
    tables = {name: make_table(name, 3) for name in ("source", "target")}
    trainings = [make_cut(mirror=mirror).training for mirror in (True, False)]
    return [tuple(TrainingImages.of(n, table, t) for t in trainings) for n, table in tables.items()]


def test_half_of_the_crops_are_mirrored_each_by_itself(make_table, make_cut) -> None:
    found = []
    for mirroring, plain in _sides(make_table, make_cut):
        crops = [(mirroring.crop(p), plain.crop(p)) for p in range(300)]
        mirrored = np.array([np.array_equal(a, b[:, ::-1]) for a, b in crops])
        assert [np.array_equal(a, b) for a, b in crops] == (~mirrored).tolist()
        assert 110 < mirrored.sum() < 190, "4.6 standard deviations"
        found.append(mirrored)
    assert 110 < (found[0] == found[1]).sum() < 190, "neither side says what happens to the other"


def test_mirroring_is_a_function_of_seed_and_position(make_table, make_cut) -> None:
    (side, _), (target, _) = _sides(make_table, make_cut)
    backwards = [side.crop(p) for p in reversed(range(20))][::-1]
    assert all(np.array_equal(a, side.crop(p)) for p, a in enumerate(backwards))
    late = {step: source for step, source, _ in crop_batches(side, target, range(15, 20))}
    assert all(np.array_equal(source[0], backwards[step]) for step, source in late.items())


def test_it_is_on_unless_the_configuration_says_otherwise(make_cut) -> None:
    assert make_cut().training.mirror
