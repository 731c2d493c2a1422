"""Arms of several sets, phases and teachers: one name each, told from a mapping or a name, and what they say of it."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tasks.contracts.arm import Arm
from tasks.contracts.drawing import Drawing, Member, Phase

FIFTY = {"of": "real", "images": 50}
FORMS: list[tuple[Any, str]] = [
    ("source(augmented)", "source(augmented)"),
    (FIFTY, "real[50]"),
    ({"mix": ["translated(cut)", "real"]}, "real+translated(cut)"),
    ({"mix": ["translated(cut)", FIFTY]}, "real[50]+translated(cut)"),
    ({"mix": ["real", "translated(cut)"], "ratio": [3, 1]}, "3 real + 1 translated(cut)"),
    ({"mix": ["translated(cut)", "real"], "ratio": [2, 6]}, "3 real + 1 translated(cut)"),
    ({"mix": ["source", "translated(cut)"]}, "source+translated(cut)"),
    ({"first": "translated(cut)", "then": "real"}, "translated(cut) then real"),
    ({"first": "translated(cut)", "then": "real", "share": 0.5}, "translated(cut) then real"),
    ({"first": "translated(cut)", "then": FIFTY, "share": 0.7}, "translated(cut) for 0.7 then real[50]"),
    (
        {"first": "translated(a then b)", "then": {"mix": ["real", "source"], "ratio": [1, 1]}},
        "translated(a then b) then 1 real + 1 source",
    ),
    ({"mix": ["translated(<b>f(x) + 1</b>)", "real"]}, "real+translated(<b>f(x) + 1</b>)"),
    ({"self_train": "translated(cut)", "on": "target"}, "self_train(translated(cut))"),
    ({"self_train": {"of": "source", "images": 9}}, "self_train(source[9])"),
]


class Chosen(BaseModel):
    arm: Arm


@pytest.mark.parametrize(("form", "name"), FORMS)
def test_a_mapping_and_a_name_are_the_same_arm(form: Any, name: str) -> None:
    found = Chosen(arm=form).arm
    assert (type(found), found) == (Arm, name)
    assert Chosen.model_validate_json(Chosen(arm=form).model_dump_json()).arm == Arm(name)


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"mix": ["real", "translated(cut)"], "ratio": [3, 0]}, r"1 or more, one a set of the mix \(given: \[3, 0\]\)"),
        ({"mix": ["real", "source"], "ratio": 3}, "ratio takes whole numbers"),
        ({"mix": ["real", "source"], "ratio": [3]}, "ratio has 1 numbers for the 2 sets"),
        ({"mix": ["real"]}, "two sets of images or more"),
        ({"mix": ["real", FIFTY]}, "images of real twice"),
        ({"mix": ["real", {"mix": ["real", "source"]}]}, "mix takes single sets of images, not real\\+source"),
        ({"mix": ["translated(a)", "translated(b)"]}, "the images of one translator"),
        ({"mix": ["real", "source"], "ratios": [1, 1]}, "takes mix and ratio, not ratios"),
        ({"first": "imaginary", "then": "real"}, "unknown arm 'imaginary'"),
        ({"first": "source"}, "first needs then"),
        ({"first": "source", "then": "real", "share": 1}, r"above 0 and below 1 \(given: 1\)"),
        ({"first": "source", "then": "real", "share": "half"}, "above 0 and below 1"),
        ({"first": "real", "then": "real"}, "first and then are both real"),
        ({"first": "self_train(source)", "then": "real"}, "not self_train"),
        ({"of": "real", "images": 0}, r"1 or more \(given: 0\)"),
        ({"of": "real"}, r"1 or more \(given: None\)"),
        ({"of": "real+source", "images": 2}, "of takes single sets of images, not real\\+source"),
        ({"of": FIFTY, "images": 2}, "a whole set of images, not real\\[50\\]"),
        ({"self_train": "real"}, "takes simulated images"),
        ({"self_train": "source", "on": "benchmark"}, "on takes target"),
        ({"pretrain": "source"}, "none of the keys of, mix, first, self_train"),
        (3, "an arm is a name, or a mapping"),
        ("6 real + 2 source", "it is written '3 real \\+ 1 source'"),
        ("source for 2 then real", "above 0 and below 1, not 2"),
        ("real[0]", "unknown arm"),
        ("source(cut)", "unknown arm"),
        ("source then real then source", "unknown arm"),
        ("3 real + source", "a ratio is written as"),
    ],
)
def test_what_is_no_arm_is_told(form: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Chosen(arm=form)


@pytest.mark.parametrize(
    ("name", "real", "curve", "others", "mixed", "simple", "built_on"),
    [
        ("real", None, "real", (), False, True, ()),
        ("real[50]", 50, "real", (), False, False, ("real",)),
        ("translated(cut)", 0, "translated(cut)", ("translated(cut)",), False, True, ()),
        ("source(augmented)", 0, "source(augmented)", ("source(augmented)",), False, False, ("source",)),
        ("real+source", None, "real+source", ("source",), True, True, ("real",)),
        ("real[50]+source", 50, "real+source", ("source",), True, False, ("real[50]",)),
        ("3 real[9] + 1 source", 9, "3 real + 1 source", ("source",), True, False, ("real[9]",)),
        ("source then real[9]", 9, "source then real", ("source",), True, False, ("real[9]",)),
        ("self_train(source)", 0, "self_train(source)", ("source", "pseudo(source)"), False, False, ("source",)),
    ],
)
def test_what_an_arm_says_of_itself(
    name: str,
    real: int | None,
    curve: str,
    others: tuple[str, ...],
    mixed: bool,
    simple: bool,
    built_on: tuple[str, ...],
) -> None:
    arm = Arm(name)
    assert (arm.real_images, arm.of_all_real, arm.others) == (real, curve, others)
    assert (arm.has_real, arm.mixed, arm.simple, arm.built_on) == (real != 0, mixed, simple, built_on)
    assert all(isinstance(found, Arm) for found in (arm.of_all_real, *arm.others, *arm.built_on))


def test_parts_and_where_their_images_are_from() -> None:
    assert Arm("translated(cut) then 1 real[9] + 2 translated(cut)").parts == ("real[9]", "translated(cut)")
    assert [Arm(name).origin for name in ("real[9]", "source(augmented)", "translated(cut)")] == [
        "real",
        "source",
        "translated(cut)",
    ]
    student = Arm("self_train(translated(cut))")
    assert (student.translator, student.teacher) == ("cut", "translated(cut)")
    assert [part.teacher for part in student.parts] == [None, "translated(cut)"]
    assert [Arm(name).with_real for name in ("source(augmented)", "source+translated(cut)", "self_train(source)")] == [
        "real+source(augmented)",
        "real+source+translated(cut)",
        "self_train(source)",
    ]


@pytest.mark.parametrize("name", ["real[5]+translated", "translated then real", "self_train(translated)"])
def test_a_bare_translated_inside_stands_for_every_translator(name: str) -> None:
    arms = Arm(name).expanded(("cut", "fda"))
    assert arms == tuple(name.replace("translated", str(Arm.translated(of))) for of in ("cut", "fda"))
    assert [arm.expanded(("vsait",)) for arm in arms] == [(arm,) for arm in arms]


def test_how_an_arm_draws() -> None:
    assert Arm("real+source").drawing == Drawing.alike(2)
    assert Arm("real[5]").drawing.members == (Member(images=5),)
    assert Arm("source(augmented)").drawing.members == (Member(augmented=True),)
    assert Arm("3 real + 1 source").drawing.phases == (Phase(share=1.0, sets=(0, 1), ratio=(3, 1)),)
    assert Arm("source for 0.7 then real").drawing.phases == (Phase(share=0.7, sets=(1,)), Phase(share=0.3, sets=(0,)))
    assert [Arm(name).drawing.steady for name in ("real[5]+source", "3 real + 1 source")] == [True, False]


@pytest.mark.parametrize(
    ("name", "iterations", "counts", "shares"),
    [
        ("real+source", 10, (10,), (0.25, 0.75)),
        ("3 real + 1 source", 10, (10,), (0.75, 0.25)),
        ("source for 0.7 then real", 10, (7, 3), (0.3, 0.7)),
        ("source for 0.01 then real", 10, (1, 9), (0.9, 0.1)),
        ("source for 0.99 then real", 10, (9, 1), (0.1, 0.9)),
        ("source for 0.2 then 1 real + 1 source", 10, (2, 8), (0.4, 0.6)),
        ("source then real", 1, (0, 1), (1.0, 0.0)),
    ],
)
def test_shares_of_what_is_drawn(
    name: str, iterations: int, counts: tuple[int, ...], shares: tuple[float, ...]
) -> None:
    drawing = Arm(name).drawing
    assert drawing.iterations(iterations) == counts
    assert drawing.shares((10, 30), iterations) == pytest.approx(shares)
