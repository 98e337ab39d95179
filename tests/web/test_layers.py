"""The page's modules: arrows between folders point down, and nothing lies about unused."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from crdtqueue_web import static_dir

ROOT = static_dir()
SCRIPTS = sorted(ROOT.rglob("*.js"))
LAYERS: tuple[set[str], ...] = (
    {"."},
    {"history", "settings"},
    {"queues"},
    {"jobs", "printers"},
    {"styles"},
    {"ui"},
    {"api"},
)
"""From the top. A folder may use those of lower layers, and none beside it."""
FILES_PER_FOLDER_MAX = 20

RUNS = re.compile(r"""^import\s(?:[^"';]*\sfrom\s)?"([^"]+)";""", re.MULTILINE)
TYPES = re.compile(r"""@import\s[^"]*"([^"]+)"|\bimport\("([^"]+)"\)""")
LINKS = re.compile(r"""(?:href|src)="([^"]+)\"""")
SHEETS = re.compile(r"SHEETS = \[([^\]]+)\]")


def used_by(script: Path, *, types: bool) -> set[Path]:
    """The modules that a module imports; with `types`, also those that only its comments name."""
    text = script.read_text(encoding="utf-8")
    names = RUNS.findall(text)
    if types:
        names += [name for pair in TYPES.findall(text) for name in pair if name]
    return {(script.parent / name).resolve() for name in names}


def folder_of(path: Path) -> str:
    return str(path.parent.relative_to(ROOT))


def layer_of(folder: str) -> int:
    return next(place for place, folders in enumerate(LAYERS) if folder in folders)


def reached_from(path: Path) -> Iterator[Path]:
    """What a browser loads because of one file, and what its types are read from."""
    if path.suffix == ".js":
        yield from used_by(path, types=True)
    if path.suffix == ".html":
        yield from (path.parent / name for name in LINKS.findall(path.read_text("utf-8")))
    if path.name == "load-styles.js":
        (names,) = SHEETS.findall(path.read_text("utf-8"))
        yield from (path.parent / f"{name}.css" for name in re.findall(r'"([^"]+)"', names))


def test_every_folder_has_its_layer() -> None:
    folders = {folder_of(path) for path in ROOT.rglob("*") if path.is_file()}
    assert folders == set().union(*LAYERS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_between_folders_point_down(script: Path) -> None:
    own = folder_of(script)
    others = {folder_of(path) for path in used_by(script, types=True)} - {own}
    wrong = {other for other in others if layer_of(other) <= layer_of(own)}
    assert wrong == set(), f"{own} stands below or beside what it uses"


def test_no_module_imports_itself_by_a_detour() -> None:
    TopologicalSorter({path: used_by(path, types=False) for path in SCRIPTS}).prepare()


def test_every_file_is_reached_from_the_page() -> None:
    found: set[Path] = set()
    ahead = [ROOT / "index.html"]
    while ahead:
        path = ahead.pop()
        if path not in found:
            found.add(path)
            ahead += reached_from(path)
    assert found == {path for path in ROOT.rglob("*") if path.is_file()}


def test_a_folder_can_be_overlooked() -> None:
    for folder in set().union(*LAYERS):
        files = [path for path in (ROOT / folder).iterdir() if path.is_file()]
        assert len(files) <= FILES_PER_FOLDER_MAX, folder
