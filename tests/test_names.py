"""One name for one thing: no public class or module of the project has the name of another."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("crdtqueue", "printer_driver", "plugin/octoprint_crdtqueue")
MAY_BE_SHARED = {"__init__", "__main__", "errors"}
"""Module names that mean the same in every package: `errors` holds the errors of its package."""
FOLDER_MODULES_MAX = 22
"""A folder with more modules than this holds more than one subject."""


def modules() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def public_classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [each.name for each in tree.body if isinstance(each, ast.ClassDef)]
    return [name for name in classes if not name.startswith("_")]


def shared(named: list[tuple[str, Path]]) -> dict[str, list[str]]:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for name, path in named:
        places[name].append(str(path.relative_to(ROOT)))
    return {name: paths for name, paths in places.items() if len(paths) > 1}


def test_no_module_has_the_name_of_another() -> None:
    named = [(path.stem, path) for path in modules() if path.stem not in MAY_BE_SHARED]
    assert len(named) > 100
    assert shared(named) == {}


def test_no_public_class_has_the_name_of_another() -> None:
    named = [(name, path) for path in modules() for name in public_classes(path)]
    assert len(named) > 300
    assert shared(named) == {}


def test_the_check_finds_a_name_that_is_used_twice() -> None:
    here = Path(__file__)
    assert shared([("Job", here), ("Job", here), ("Claim", here)]) == {
        "Job": ["tests/test_names.py"] * 2
    }


@pytest.mark.parametrize("package", [*PACKAGES, "web/crdtqueue_web"])
def test_no_folder_holds_more_modules_than_one_subject_needs(package: str) -> None:
    suffixes = {".py", ".js", ".css"}
    count: defaultdict[Path, int] = defaultdict(int)
    for path in (ROOT / package).rglob("*"):
        if path.suffix in suffixes and "node_modules" not in path.parts:
            count[path.parent] += 1
    large = {str(folder.relative_to(ROOT)): n for folder, n in count.items()}
    assert {folder: n for folder, n in large.items() if n > FOLDER_MODULES_MAX} == {}
