"""On real pseudo-terminals; what stands at their other end is written here."""

import os
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from printer_driver.core.replies.baud_search import (
    BAUDS,
    FIRST_TRY_S,
    TRY_S,
)
from printer_driver.errors import PortError
from printer_driver.port.port_keeper import (
    AUTO_BAUD,
    REOPEN_S,
    PortKeeper,
)


@dataclass
class Dev:
    """A /dev whose ports are pseudo-terminals."""

    folder: Path
    masters: dict[str, int]

    def plug(self, name: str, link: str = "") -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        (self.folder / name).symlink_to(os.ttyname(slave))
        self.masters[name] = master
        os.close(slave)
        if link:
            path = self.folder / "serial/by-id" / link
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(self.folder / name)

    def unplug(self, name: str) -> None:
        os.close(self.masters.pop(name))
        (self.folder / name).unlink()
        for link in (self.folder / "serial/by-id").glob("*"):
            if not link.exists():
                link.unlink()


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    dev = Dev(tmp_path / "dev", {})
    dev.folder.mkdir()
    yield dev
    for master in dev.masters.values():
        os.close(master)


def keeper(dev: Dev, port: str, baud: int = 115200) -> PortKeeper:
    return PortKeeper(port=port, baud=baud, notes=dev.folder.parent / "notes", dev=dev.folder)


def test_a_given_port_and_speed_are_the_printers_at_once(dev: Dev) -> None:
    dev.plug("ttyUSB0")
    ours = keeper(dev, str(dev.folder / "ttyUSB0"))
    ours.open(0.0)
    assert ours.is_ready
    assert ours.next_deadline_s() is None
    ours.close(0.0)
    assert ours.next_deadline_s() == REOPEN_S
    assert ours.is_open_due(REOPEN_S)


def test_the_same_board_under_another_name(dev: Dev) -> None:
    dev.plug("ttyUSB0", link="usb-board_7")
    ours = keeper(dev, str(dev.folder / "ttyUSB0"))
    ours.open(0.0)
    ours.close(0.0)
    dev.unplug("ttyUSB0")
    with pytest.raises(PortError, match="There is no port"):
        ours.open(1.0)
    assert "There is no port" in ours.problem
    dev.plug("ttyUSB3", link="usb-board_7")
    ours.open(2.0)
    assert ours.wire.name.endswith("usb-board_7")
    assert ours.problem == ""
    ours.close(2.0)


def swapped(dev: Dev, *, is_named: bool) -> PortKeeper:
    """Known as ttyUSB0; then its name is another's, which may have no name by id."""
    dev.plug("ttyUSB0", link="usb-ours")
    dev.plug("ttyUSB1", link="usb-other" if is_named else "")
    ours = keeper(dev, str(dev.folder / "ttyUSB0"))
    ours.open(0.0)
    ours.close(0.0)
    first, second = (dev.folder / f"ttyUSB{n}" for n in range(2))
    first.rename(dev.folder / "aside")
    second.rename(first)
    (dev.folder / "aside").rename(second)
    masters = dev.masters
    masters["ttyUSB0"], masters["ttyUSB1"] = masters["ttyUSB1"], masters["ttyUSB0"]
    for path in (dev.folder / "serial/by-id").iterdir():
        other = second if path.readlink() == first else first
        path.unlink()
        path.symlink_to(other)
    return keeper(dev, str(first))


def test_two_adapters_that_have_swapped_their_names(dev: Dev) -> None:
    ours = swapped(dev, is_named=True)
    ours.open(1.0)
    assert ours.wire.name.endswith("usb-ours")
    ours.close(1.0)
    other = keeper(dev, str(dev.folder / "ttyUSB1"))  # another name: a person wants that one
    other.open(2.0)
    assert other.wire.name == str(dev.folder / "ttyUSB1")
    other.close(2.0)


def test_where_a_name_by_id_may_be_shared_the_given_one_counts(dev: Dev) -> None:
    """Adapters without a serial number have one for all of them."""
    ours = swapped(dev, is_named=False)
    ours.open(1.0)
    assert ours.wire.name == str(dev.folder / "ttyUSB0")
    ours.close(1.0)


def test_the_known_device_is_not_there_but_its_name_is(dev: Dev) -> None:
    ours = swapped(dev, is_named=True)
    dev.unplug("ttyUSB1")
    ours.open(1.0)
    assert ours.wire.name == str(dev.folder / "ttyUSB0")
    ours.close(1.0)


def test_the_speed_is_found_and_tried_first_next_time(dev: Dev) -> None:
    dev.plug("ttyUSB0")
    ours = keeper(dev, str(dev.folder / "ttyUSB0"), AUTO_BAUD)
    ours.open(0.0)
    assert ours.is_searching
    ours.tick(0.0)
    ours.tick(FIRST_TRY_S)
    assert ours.wire.baud == BAUDS[1]
    ours.receive(b"ok T:20 /0\n", FIRST_TRY_S + 0.1)
    assert ours.is_ready
    ours.close(5.0)
    again = keeper(dev, str(dev.folder / "ttyUSB0"), AUTO_BAUD)
    again.open(6.0)
    again.tick(6.0)
    assert again.wire.baud == BAUDS[1]
    again.close(6.0)


def test_all_ports_are_tried_until_a_printer_answers(dev: Dev) -> None:
    dev.plug("ttyUSB0")
    dev.plug("ttyACM0", link="usb-printer")
    ours = keeper(dev, "auto", 250000)
    ours.open(0.0)
    assert ours.wire.name.endswith("usb-printer")
    ours.tick(0.0)
    with pytest.raises(PortError, match=r"No printer answers on .* at 250000 baud"):
        ours.tick(FIRST_TRY_S + TRY_S)
    ours.close(4.0)
    ours.open(5.0)
    assert ours.wire.name.endswith("ttyUSB0")
    ours.receive(b"start\n", 5.1)
    assert ours.is_ready
    ours.close(6.0)


def test_no_port_at_all(dev: Dev) -> None:
    ours = keeper(dev, "auto")
    with pytest.raises(PortError, match="switch the printer on"):
        ours.open(0.0)


@pytest.mark.parametrize("notes", [b"", b"[]", b"{}", b'{"port": 7, "baud": "x"}', b"\xff" * 9000])
def test_notes_that_cannot_be_read_are_no_notes(dev: Dev, notes: bytes) -> None:
    (dev.folder.parent / "notes").write_bytes(notes)
    dev.plug("ttyUSB0")
    ours = keeper(dev, "auto", AUTO_BAUD)
    ours.open(0.0)
    ours.tick(0.0)
    assert ours.wire.baud == BAUDS[0]
    ours.close(0.0)
