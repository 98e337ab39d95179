import time
from pathlib import Path

from printer_driver.virtual import VirtualPrinter
from printer_driver.wire import Wire


def read_until(wire: Wire, end: bytes) -> bytes:
    data, deadline_s = b"", time.monotonic() + 5
    while not data.endswith(end) and time.monotonic() < deadline_s:
        data += wire.read()
    return data


def test_it_answers_on_a_real_port_and_records(tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_text("earlier\n")
    wire = Wire(VirtualPrinter(speed_up=1000, record=record).start(), 115200)
    wire.open()
    wire.write(b"M105\n")
    assert b"ok T:21.00" in read_until(wire, b"B@:0\n")
    wire.write(b"G4 S5\n")
    assert read_until(wire, b"ok\n").endswith(b"busy: processing\nok\n")
    wire.close()
    assert record.read_text().startswith("earlier\n")
    assert record.read_text().endswith("G4 S5\n")
