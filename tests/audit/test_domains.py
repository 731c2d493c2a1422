"""The map of domains, on planted axes."""

import numpy as np
import pytest

from tasks.audit.domains import domain_map, principal_axes


def features(values: np.ndarray, prefix: str = "") -> tuple[tuple[str, ...], np.ndarray]:
    return tuple(f"{prefix}{k}" for k in range(len(values))), np.asarray(values, np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_planted_axes_are_found(rng: np.random.Generator) -> None:
    rows = np.zeros((500, 5))
    first, second = np.array([0, 0.6, 0, -0.8, 0]), np.array([0, 0.8, 0, 0.6, 0])
    rows += rng.normal(0, 10, (500, 1)) * first + rng.normal(0, 3, (500, 1)) * second + rng.normal(0, 0.01, (500, 5))
    axes, explained = principal_axes(rows - rows.mean(axis=0))
    assert axes[0] == pytest.approx(-first, abs=0.05)  # the largest loading is positive
    assert axes[1] == pytest.approx(second, abs=0.05)
    assert explained[0] == pytest.approx(100 / 109, abs=0.02)
    assert sum(explained) == pytest.approx(1, abs=1e-3)


def test_translated_images_move_in_the_frame_of_the_other_two(rng: np.random.Generator) -> None:
    gap = np.array([4.0, 4.0, 4.0, 4.0])
    real, source = rng.normal(size=(30, 4)) + gap, rng.normal(size=(40, 4))
    translated = source + gap / 2
    translated[:, 0] += 1000 * np.arange(40)  # would be the first axis if it had a say
    found = domain_map("seg", features(real, "r"), features(source), features(translated), limit=25)
    same = domain_map("seg", features(real, "r"), features(source), features(source + gap / 2), limit=25)
    assert found.explained == same.explained
    assert [p for p in found.points if p.domain != "translated"] == [p for p in same.points if p.domain != "translated"]
    middle = {d: np.mean([p.x for p in same.points if p.domain == d]) for d in ("real", "source", "translated")}
    assert middle["translated"] == pytest.approx((middle["real"] + middle["source"]) / 2, abs=0.3)
    assert abs(middle["real"] - middle["source"]) > 2
    assert same.explained[0] > 0.6


def test_equally_many_points_of_the_same_images(rng: np.random.Generator) -> None:
    source = rng.normal(size=(40, 3))
    ids, moved = features(source[::-1])
    backwards = tuple(reversed(ids)), moved
    found = domain_map("seg", features(rng.normal(size=(12, 3)), "r"), features(source), backwards, seed=3)
    of = {d: [p for p in found.points if p.domain == d] for d in ("real", "source", "translated")}
    assert [len(v) for v in of.values()] == [12, 12, 12]
    assert [(p.id, p.x, p.y) for p in of["source"]] == [(p.id, p.x, p.y) for p in of["translated"]]
    again = domain_map("seg", features(rng.normal(size=(12, 3)), "r"), features(source), backwards, seed=4)
    assert {p.id for p in again.points} != {p.id for p in found.points}


def test_sets_without_shared_ids_are_drawn_apart(rng: np.random.Generator) -> None:
    a, b, c = (features(rng.normal(size=(n, 3)), name) for n, name in ((9, "r"), (8, "s"), (5, "t")))
    found = domain_map("seg", a, b, c)
    assert sorted(p.id for p in found.points if p.domain == "translated") == [f"t{k}" for k in range(5)]
    assert len(found.points) == 15


def test_a_feature_that_never_changes_and_sets_that_are_one_point() -> None:
    found = domain_map("seg", *(features(np.ones((3, 2))) for _ in range(3)))
    assert found.explained == (0, 0)
    assert {(p.x, p.y) for p in found.points} == {(0, 0)}


def test_sets_that_cannot_be_mapped() -> None:
    good, empty = features(np.ones((3, 2))), features(np.ones((0, 2)))
    with pytest.raises(ValueError, match="seg: source has 0 ids"):
        domain_map("seg", good, empty, good)
    with pytest.raises(ValueError, match="two features"):
        domain_map("seg", good, good, features(np.ones((3, 1))))
    with pytest.raises(ValueError, match="different widths"):
        domain_map("seg", good, good, features(np.ones((3, 4))))
    with pytest.raises(ValueError, match="real has features that are not finite"):
        domain_map("seg", features(np.full((3, 2), np.nan)), good, good)
