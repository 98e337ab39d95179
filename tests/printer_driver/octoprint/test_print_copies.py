import hashlib
from pathlib import Path

import pytest

from printer_driver.errors import PrintRefused
from printer_driver.octoprint.print_copies import (
    copy_path,
    is_copy_of,
    open_content,
)

GCODE = b"G28\nG1 X10\n; settings\n"


def test_a_content(tmp_path: Path) -> None:
    path = tmp_path / "a.gcode"
    path.write_bytes(GCODE)
    sha256 = hashlib.sha256(GCODE).hexdigest()
    content = open_content(path, sha256.upper())
    with content.file:
        content.file.seek(0)
        assert content.file.read() == GCODE
    assert (content.size_bytes, content.gcode_bytes) == (len(GCODE), GCODE.index(b";"))
    assert content.sha1 == hashlib.sha1(GCODE, usedforsecurity=False).hexdigest()
    assert content.upload_path == f"crdtqueue/{sha256}.gcode"


@pytest.mark.parametrize("written", [b"not g-code\n", b""])
def test_what_is_no_gcode_is_refused(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "a.gcode"
    path.write_bytes(written)
    with pytest.raises(PrintRefused):
        open_content(path, hashlib.sha256(written).hexdigest())


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / ("x" * 300)):
        with pytest.raises(PrintRefused, match="add it again"):
            open_content(path, "0" * 64)


NAMES = ["", "Benchy.gcode", "../../x", "CON", "Türgriff (v2).GCODE", "ключ", "a" * 300, "..", "-"]


@pytest.mark.parametrize("name", NAMES)
def test_each_print_has_a_name_that_octoprint_takes_as_it_is(name: str) -> None:
    paths = {copy_path(x, name) for x in ("1", "2", "../../x", "a b", "ä" * 128)}
    assert len(paths) == 5
    for path in paths:
        folder, _, file = path.partition("/")
        assert (folder, file.isascii(), file.endswith(".gcode")) == ("crdtqueue", True, True)
        assert file.removesuffix(".gcode").replace("-", "").replace("_", "").isalnum()
        assert len(file) <= 100


def test_the_name_begins_with_the_parts() -> None:
    for name, shown in (("Benchy.gcode", "Benchy-"), ("Türgriff (v2).GCODE", "Turgriff-v2-")):
        assert copy_path("1", name).startswith(f"crdtqueue/{shown}")
    assert copy_path("1", "ключ").startswith("crdtqueue/print-")


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_known_by_its_path_alone(name: str) -> None:
    path = copy_path("1", name)
    assert is_copy_of(path, "1")
    assert not is_copy_of(path, "2")


def test_no_file_of_a_person_is_taken_for_a_copy() -> None:
    path = copy_path("1", "Benchy")
    folder, _, file = path.partition("/")
    for other in (
        None,
        "",
        file,
        f"{folder}/x-{file}",
        f"{folder}/{file[1:]}",
        f"{folder}/{file.lower()}",
        f"{folder}/sub/{file}",
        f"other/{file}",
        f"{path}.gcode",
        f"{folder}/{'0' * 64}.gcode",
    ):
        assert not is_copy_of(other, "1")
