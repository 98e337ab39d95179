import hashlib
from pathlib import Path

import pytest

from printer_driver.errors import PrintRefused
from printer_driver.octoprint.files import copy_path, open_content
from printer_driver.printer import PrintId

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


def test_each_print_has_a_name_that_octoprint_takes_as_it_is() -> None:
    names = {copy_path(PrintId(name)) for name in ("1", "2", "../../x", "a b", "ä" * 128)}
    assert len(names) == 5
    for name in names:
        folder, _, file = name.partition("/")
        assert (folder, file.isascii(), file.endswith(".gcode")) == ("crdtqueue", True, True)
        assert file.replace("-", "").replace(".", "").isalnum()
