import errno
import os
from pathlib import Path

import pytest

from printer_driver.port.ports import (
    candidates,
    explain,
    has_real_speed,
    holders,
    lasting_name,
    ports_there,
)


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """A /dev with two boards, one of which has a serial number."""
    for name in ("ttyUSB0", "ttyUSB1", "ttyACM0", "ttyS0"):
        (tmp_path / name).touch()
    for link, target in (("by-id/usb-Prusa_42", "ttyACM0"), ("by-path/pci-1", "ttyUSB1")):
        path = tmp_path / "serial" / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(tmp_path / target)
    (tmp_path / "serial/by-id/usb-gone").symlink_to(tmp_path / "ttyUSB9")
    return tmp_path


def test_names_by_id_come_first_and_each_device_once(dev: Path) -> None:
    names = [Path(name).name for name in candidates(dev)]
    assert names == ["usb-Prusa_42", "ttyUSB0", "ttyUSB1"]
    assert "usb-Prusa_42" in ports_there(dev)


def test_a_name_that_lasts(dev: Path) -> None:
    assert lasting_name(str(dev / "ttyACM0"), dev) == str(dev / "serial/by-id/usb-Prusa_42")
    assert lasting_name(str(dev / "ttyUSB1"), dev) == str(dev / "serial/by-path/pci-1")
    assert lasting_name(str(dev / "ttyUSB0"), dev) == str(dev / "ttyUSB0")


def test_whose_speed_is_real(dev: Path) -> None:
    assert has_real_speed(str(dev / "ttyUSB0"))
    assert not has_real_speed(str(dev / "serial/by-id/usb-Prusa_42"))
    assert not has_real_speed("/dev/pts/3")


def test_no_port_at_all(tmp_path: Path) -> None:
    assert candidates(tmp_path) == []
    assert "switch the printer on" in ports_there(tmp_path)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    fd = tmp_path / "77" / "fd"
    fd.mkdir(parents=True)
    (fd / "5").symlink_to("/dev/null")
    (tmp_path / "77" / "comm").write_text("octoprint\n")
    (tmp_path / "self").mkdir()
    (tmp_path / str(os.getpid()) / "fd").mkdir(parents=True)
    (tmp_path / "88").mkdir()
    return tmp_path


def test_who_holds_a_port(proc: Path) -> None:
    assert holders("/dev/null", proc) == ["octoprint (process 77)"]
    assert holders("/dev/zero", proc) == []


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.ENOENT, "x"), "There is no port /dev/ttyX"),
        (OSError(errno.EACCES, "x"), "dialout"),
        (OSError(errno.EBUSY, "x"), "in use; stop what holds it (OctoPrint"),
        (OSError(errno.ENOTTY, "x"), "serial port"),
        (ValueError("baud"), "baud"),
    ],
)
def test_every_failure_says_what_to_do(error: OSError | ValueError, advice: str) -> None:
    assert advice in explain("/dev/ttyX", error)
