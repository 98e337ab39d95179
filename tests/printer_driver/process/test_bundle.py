import json
import zipfile
from pathlib import Path

import pytest

from printer_driver.process import bundle


def test_a_bundle_has_all_but_the_g_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "prints.journal"
    for name in ("", ".lines", ".serial.log", ".serial.log.1"):
        (tmp_path / f"prints.journal{name}").write_text(name)
    (tmp_path / "a.gcode").write_text("G28\n")
    out = tmp_path / "bundle.zip"
    socket = ["--socket", str(tmp_path / "nobody")]
    assert bundle.main(["--journal", str(journal), *socket, str(out)]) == 0
    assert "serial.log.1" in capsys.readouterr().out
    with zipfile.ZipFile(out) as written:
        names = set(written.namelist())
        about = json.loads(written.read("about.json"))
    assert {"prints.journal", "prints.journal.lines", "prints.journal.serial.log"} < names
    assert "a.gcode" not in names
    assert "does not answer" in about["status"]["unavailable"]
    assert about["python"]


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--journal", str(tmp_path / "j"), str(tmp_path / "none" / "bundle.zip")]
    assert bundle.main(arguments) == 1
    assert "choose another place" in capsys.readouterr().err
