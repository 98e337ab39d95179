from printer_driver.core.gcode.gcode_lines import normalised_command
from printer_driver.core.streaming.stream_settings import (
    ignored_lines,
)


def test_lines_to_ignore_have_one_spelling() -> None:
    assert normalised_command('  m862.3   p "mk3s" ; model') == 'M862.3 P "MK3S"'
    assert ignored_lines(["m601 ; pause", "; only a comment", "", "M601"]) == {"M601"}
