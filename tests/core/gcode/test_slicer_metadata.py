from __future__ import annotations

import time
from pathlib import Path

import pytest

from crdtqueue.core.errors import Invalid
from crdtqueue.core.gcode.slicer_metadata import (
    HEAD_BYTES,
    TAIL_BYTES,
    check_gcode,
    filament_mm_in,
    materials_in,
    profile_in,
)

GCODE = Path(__file__).parents[2] / "data" / "gcode"


@pytest.mark.parametrize("path", sorted(GCODE.glob("*.gcode")), ids=lambda path: str(path.name))
def test_real_files_are_g_code(path: Path) -> None:
    check_gcode(path.name, path.read_bytes()[:HEAD_BYTES])


@pytest.mark.parametrize("text", [b"G28\n", b"; made by hand\r\n  M104 S200", b"N1 G1 X2", b"T0"])
def test_short_g_code_is_g_code(text: bytes) -> None:
    check_gcode("part.gcode", text)


@pytest.mark.parametrize(
    "text", [b"", b" \n\n", b"solid part\nfacet normal 0 0 1", b"G28\n\0", b"PK\3\4", b"; G28\n"]
)
def test_what_is_not_g_code_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(Invalid, match=r"part\.gcode"):
        check_gcode("part.gcode", text)


def test_the_model_is_read_from_the_slicers_comment() -> None:
    assert profile_in(b"G28\r\n; printer_model = mk3s \r\n; x = y\r\n") == "MK3S"
    assert profile_in(b"  ;printer_model=Voron  V2") == "VORON V2"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"; printer_model =\nG28",
        b"; printer_model = \r\n; other = 1",
        b"; printer_model = " + b"x" * 65,
        b"; printer_model = \x1b[2J",
        b"; my_printer_model = MK3S",
    ],
)
def test_where_no_model_is_named_there_is_none(text: bytes) -> None:
    assert profile_in(text) is None


def test_the_filament_and_material_are_read_from_the_slicers_comments() -> None:
    real = (GCODE / "bracket_mini.gcode").read_bytes()
    assert filament_mm_in(real) == 377.44
    assert materials_in(real) == ("PLA",)
    assert filament_mm_in(b"; filament used [mm] = 100.5, 20.25\n") == 120.75
    assert materials_in(b"; filament_type = PLA;PETG; \n") == ("PLA", "PETG", "")
    assert filament_mm_in(b";FLAVOR:Marlin\n;Filament used: 1.5m, 0.5m\n") == 2000.0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"; filament used [mm] = \n",
        b"; filament used [mm] = 1.2.3",
        b"; filament used [mm] = " + b"9" * 400,
    ],
)
def test_filament_that_makes_no_sense_is_none(text: bytes) -> None:
    assert filament_mm_in(text) == 0.0


@pytest.mark.parametrize(
    "text",
    [b"\n", b" ", b"\t\n", b";", b"N1 ", b"; printer_model =", b"; printer_model = x", b"N1"],
)
def test_no_file_takes_long(text: bytes) -> None:
    began_s = time.process_time()
    profile_in((text * TAIL_BYTES)[:TAIL_BYTES])
    filament_mm_in(b";Filament used: 1" + (text * TAIL_BYTES)[:TAIL_BYTES])
    materials_in((b"; filament_type = x;" * TAIL_BYTES)[:TAIL_BYTES])
    profile_in(b"; printer_model = x" + (text * TAIL_BYTES)[:TAIL_BYTES] + b"y")
    with pytest.raises(Invalid):
        check_gcode("part.gcode", b"x" + (text * HEAD_BYTES)[:HEAD_BYTES])
    assert time.process_time() - began_s < 5
