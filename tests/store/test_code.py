"""The version of a stage's code: what changes it, for every stage and every module that it is made with."""

import io
import keyword
import shutil
import tokenize
from pathlib import Path

import pytest

from tasks.store import code
from tasks.store.code import NEUTRAL, ROOT, closure, code_version

MAKERS = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sorted((ROOT / "tasks").rglob("make_*.py"))}
DOORS = {  # what is imported by a name put together while it runs
    "tasks.datasets.make_dataset": "tasks.datasets.readers",
    "tasks.translate.make_translator": "tasks.translate.methods",
    "tasks.translate.make_translated": "tasks.translate.methods",
}


def modules(package: str) -> list[str]:
    folder = ROOT.joinpath(*package.split("."))
    return [f"{package}.{p.stem}" for p in sorted(folder.glob("*.py")) if p.stem != "__init__"]


STAGES = [(maker, door) for maker in MAKERS for door in (modules(DOORS[maker]) if maker in DOORS else [""])]

NAMES = [" with ".join(n.rpartition(".")[2] for n in stage if n) for stage in STAGES]


def version(root: Path, *entries: str) -> str:
    return code_version.__wrapped__(*entries, root=root)  # past its cache


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("code")
    shutil.copytree(ROOT / "tasks", root / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def mutated(text: str) -> str:
    """The text with its last name changed: the one that a hand-kept list or a shallow look would miss first."""
    tokens = list(tokenize.tokenize(io.BytesIO(text.encode()).readline))
    lines = text.splitlines(keepends=True)
    logs = [n for n, line in enumerate(lines, 1) if line.strip().startswith("log.")]
    names = [t for t in tokens if t.type == tokenize.NAME and not keyword.iskeyword(t.string) and t.end[0] not in logs]
    row, column = names[-1].end
    lines[row - 1] = f"{lines[row - 1][:column]}x{lines[row - 1][column:]}"
    return "".join(lines)


def path_of(root: Path, name: str) -> Path:
    base = root.joinpath(*name.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def test_every_artifact_has_a_maker_that_names_itself() -> None:
    text = {name: path.read_text() for name, path in MAKERS.items()}
    assert all("code_version(__name__" in t for t in text.values())
    builders = [p for p in (ROOT / "tasks").rglob("*.py") if "code_version(" in p.read_text()]
    assert set(builders) == {*MAKERS.values(), Path(code.__file__)}
    assert {name for name, t in text.items() if "code_version(__name__)" not in t} >= DOORS.keys()


@pytest.mark.parametrize(("maker", "door"), STAGES, ids=NAMES)
def test_a_changed_token_in_any_module_of_a_stage_is_another_version(copy: Path, maker: str, door: str) -> None:
    entries = [name for name in (maker, door) if name]
    before, parts = version(copy, *entries), closure(*entries, root=copy)
    assert set(entries) <= set(parts)
    for part in parts:
        path = copy / part if "/" in part else path_of(copy, part)
        kept = path.read_bytes()
        try:
            path.write_bytes(kept + b" " if "/" in part else mutated(kept.decode()).encode())
            assert version(copy, *entries) != before, part
        finally:
            path.write_bytes(kept)
    assert version(copy, *entries) == before


@pytest.mark.parametrize(("maker", "door"), STAGES, ids=NAMES)
def test_neutral_modules_change_no_version(copy: Path, maker: str, door: str) -> None:
    entries = [name for name in (maker, door) if name]
    before = version(copy, *entries)
    for part in NEUTRAL.keys() - set(entries):
        path = path_of(copy, part)
        kept = path.read_bytes()
        path.write_text(mutated(kept.decode()))
        try:
            assert version(copy, *entries) == before, part
        finally:
            path.write_bytes(kept)


def test_neutral_modules_exist_and_say_why() -> None:
    assert all(path_of(ROOT, name).is_file() and why for name, why in NEUTRAL.items())


@pytest.mark.parametrize(
    ("maker", "part"),
    [
        ("tasks.retrain.make_model", "tasks.datasets.masks"),
        ("tasks.retrain.make_model", "tasks.datasets.images"),
        ("tasks.retrain.make_model", "tasks.retrain.worker"),  # named by a string, run by a process
        ("tasks.evaluate.make_evaluation", "tasks.datasets.table"),
        ("tasks.evaluate.make_evaluation", "tasks.evaluate.worker"),
        ("tasks.translate.make_translator", "tasks.translate.training.worker"),
        ("tasks.report.make_report", "tasks/report/templates/report.html.j2"),
        ("tasks.report.make_report", "tasks.report.gallery.lost"),
        ("tasks.audit.make_audit", "tasks.audit.flips"),
    ],
)
def test_known_parts(maker: str, part: str) -> None:
    assert part in closure(maker)


def test_one_method_does_not_depend_on_another() -> None:
    cut = closure("tasks.translate.make_translator", "tasks.translate.methods.cut")
    assert "tasks.translate.networks.patchnce" in cut
    assert not {"tasks.translate.methods.vsait", "tasks.translate.networks.hypervectors"} & set(cut)
    gta5 = closure("tasks.datasets.make_dataset", "tasks.datasets.readers.gta5")
    assert "tasks.datasets.readers.shift" not in gta5
    assert "tasks.datasets.rle" in closure("tasks.datasets.make_dataset", "tasks.datasets.readers.nuimages")


def test_training_does_not_depend_on_the_report_or_on_checks() -> None:
    model = closure("tasks.retrain.make_model")
    assert not [m for m in model if m.startswith(("tasks.report", "tasks.datasets.checks", "tasks.datasets.readers"))]


def test_what_comparisons_say_of_versions_is_in_their_key() -> None:
    assert "tasks.store.surroundings" in closure("tasks.evaluate.make_comparison")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A house of two rooms: ``a`` takes ``f`` from the face of ``b``, in a function."""
    files = {
        "tasks/__init__.py": "",
        "tasks/a/__init__.py": "",
        "tasks/a/main.py": "import tasks.a.side as side\n\ndef run():\n    from tasks.b import f\n    return f(side)\n",
        "tasks/a/side.py": "X = 1\n",
        "tasks/b/__init__.py": "if TYPE_CHECKING:\n    from tasks.b.good import f\n    from tasks.b.other import g\n",
        "tasks/b/good.py": "def f(x):\n    return x\n",
        "tasks/b/other.py": "def g():\n    return 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_face_leads_to_the_one_module(tree: Path) -> None:
    assert closure("tasks.a.main", root=tree) == ["tasks.a.main", "tasks.a.side", "tasks.b.good"]


@pytest.mark.parametrize(
    "statement",
    [
        "from tasks.b import (\n    f,\n    g as h,\n)",
        "if True: from tasks.b import f, g",
        "import tasks.b.good, tasks.b.other as o",
        "from tasks.b import good, other",
        'WORKERS = ("tasks.b.good", "tasks.b.other")',
    ],
)
def test_every_form_of_import_counts(tree: Path, statement: str) -> None:
    (tree / "tasks/a/main.py").write_text(statement + "\n")
    assert {"tasks.b.good", "tasks.b.other"} <= set(closure("tasks.a.main", root=tree))


def test_data_files_count_where_they_lie_beside_a_module(tree: Path) -> None:
    for name in ("tasks/b/page.html", "tasks/b/texts/en.yaml", "tasks/c/far.html"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("x")
    found = closure("tasks.a.main", root=tree)
    assert [f for f in found if "/" in f] == ["tasks/b/page.html", "tasks/b/texts/en.yaml"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('"""Prose."""\n\n# more\nx  =  Field( 1, description="A"  "B" )\n', True),
        ('x = Field(1, description="other words")\nlog.info("%s", x)\n', True),
        ('x = Field(1, description=f"of")\n\n\n', True),
        ('x = Field(2, description="A")\n', False),
        ('x = Field("1", description="A")\n', False),
        ('x = Field(1, default="A", description="A")\n', False),
    ],
)
def test_prose_does_not_count(tree: Path, text: str, same: bool) -> None:
    module = tree / "tasks/a/side.py"
    module.write_text('x = Field(1, description="A")\n')
    before = version(tree, "tasks.a.side")
    module.write_text(text)
    assert (version(tree, "tasks.a.side") == before) is same


def test_what_long_work_is_called_does_not_count_but_what_it_goes_through_does(tree: Path) -> None:
    module = tree / "tasks/a/side.py"
    versions = []
    for text in (
        'with_progress(read("a"), 3, "reading")\n',
        'with_progress(read("a"), 3, f"looking")\n',
        'with_progress(read("b"), 3, "reading")\n',
    ):
        module.write_text(text)
        versions.append(version(tree, "tasks.a.side"))
    assert versions[0] == versions[1] != versions[2]


def test_an_entry_that_is_no_module_is_named(tree: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"tasks\.nothing"):
        closure("tasks.nothing", root=tree)


def test_modules_that_are_imported_by_a_made_up_name_are_doors() -> None:
    """Where a name is put together, the maker must name the module; nowhere else may one be."""
    made_up = [
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "tasks").rglob("*.py")
        if "import_module(f" in p.read_text() or "__import__(" in p.read_text()
    ]
    assert sorted(made_up) == ["tasks/datasets/read.py", "tasks/translate/job.py", "tasks/translate/methods/base.py"]


def test_a_method_leads_to_its_section() -> None:
    """A job imports the section by the method's name, and the maker names the method."""
    sections = [
        name for name in modules("tasks.translate.sections") if "\nsection = " in path_of(ROOT, name).read_text()
    ]
    assert len(sections) == 10
    for section in sections:
        assert section in closure(section.replace(".sections.", ".methods."))


def test_scores_do_not_depend_on_how_a_model_was_trained() -> None:
    """That is in the model's digest."""
    found = set(closure("tasks.evaluate.make_evaluation"))
    assert not found & {"tasks.retrain.worker", "tasks.retrain.exact", "tasks.retrain.configuration"}
