"""The files of the page: complete, self-contained, and without a way for data to become markup."""

import re
from html.parser import HTMLParser
from pathlib import Path

import crdtqueue_web
import pytest
from crdtqueue_web import static_dir

FILES = sorted(path for path in static_dir().rglob("*") if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
NAMESPACES = ("http://www.w3.org/2000/svg",)
MARKUP_SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment"
    r"|setHTMLUnsafe|srcdoc|DOMParser|\beval\(|new Function"
)
IMPORT = re.compile(r"""^import\s(?:[^"';]*\sfrom\s)?["']([^"']+)["']""", re.MULTILINE)


class Links(HTMLParser):
    """Collects what a page links to, and whether it holds scripts or styles of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.inline: list[str] = []
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href") and value:
                self.targets.append(value)
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and data.strip():
            self.inline.append(f"{self._open}: {data.strip()[:40]}")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = None


def links_of(page: Path) -> Links:
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    return links


def test_the_package_exports_the_folder_and_nothing_else() -> None:
    assert crdtqueue_web.__all__ == ["static_dir"]
    assert static_dir().is_dir()


def test_the_page_links_only_to_files_that_are_there() -> None:
    links = links_of(static_dir() / "index.html")
    assert {"main.js", "styles/page.css", "styles/base.css", "icon.svg"} <= set(links.targets)
    assert all((static_dir() / target).is_file() for target in links.targets)


def test_the_page_runs_under_a_policy_without_inline_scripts_and_styles() -> None:
    assert links_of(static_dir() / "index.html").inline == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_only_files_that_are_there(script: Path) -> None:
    imported = IMPORT.findall(script.read_text(encoding="utf-8"))
    assert all(each.startswith(".") for each in imported)
    files = [(script.parent / each).resolve() for each in imported]
    assert all(file.is_file() and file.is_relative_to(static_dir()) for file in files)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for namespace in NAMESPACES:
        text = text.replace(namespace, "")
    assert re.findall(r"\b(?:https?|wss?):|[\"'(]//", text) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_of_text(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert MARKUP_SINKS.findall(text) == []
    assert text.startswith("// @ts-check\n")


def test_every_style_sheet_is_used_and_fetched_ahead() -> None:
    styles = static_dir() / "styles"
    sheets = re.search(r"SHEETS = \[([^\]]+)\]", (styles / "load-styles.js").read_text("utf-8"))
    assert sheets
    named = {f"{name}.css" for name in re.findall(r'"([^"]+)"', sheets[1])}
    assert named | {"page.css"} == {path.name for path in styles.glob("*.css")}
    links = links_of(static_dir() / "index.html")
    assert {f"styles/{name}" for name in named} <= set(links.targets)
