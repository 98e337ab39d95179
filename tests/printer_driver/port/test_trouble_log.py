import time
from pathlib import Path

from printer_driver.background import Background
from printer_driver.port.serial_log import (
    Keep,
    SerialLog,
)
from printer_driver.port.trouble_log import (
    TROUBLE_APART_S,
    TroubleLog,
)


class AtOnce(Background):
    """What would be done in the background is done now."""

    def run(self, work):  # type: ignore[no-untyped-def]
        work()
        return True


def test_trouble_is_written_but_not_all_the_time(tmp_path: Path) -> None:
    serial_log = SerialLog(tmp_path / "log")
    log = TroubleLog(serial_log, AtOnce())
    now_s = time.monotonic()
    for number, moment_s in enumerate((now_s, now_s + 1, now_s + TROUBLE_APART_S)):
        serial_log.note(">", b"N%d" % number, moment_s)
        log.note(moment_s)
        lines = (tmp_path / "log").read_text().splitlines()
        assert len(lines) == (1, 1, 3)[number]


def test_where_all_is_kept_the_end_is_too(tmp_path: Path) -> None:
    for keep in Keep:
        path = tmp_path / keep.value
        serial_log = SerialLog(path, keep=keep)
        serial_log.note(">", b"M105\n", time.monotonic())
        TroubleLog(serial_log, AtOnce()).close()
        assert path.exists() == (keep is Keep.ALL)


def test_a_disk_that_fails_is_no_trouble_of_the_printer(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    serial_log = SerialLog(tmp_path / "file" / "log")
    serial_log.note(">", b"M105\n", 0.0)
    assert TroubleLog(serial_log, AtOnce()).write()
