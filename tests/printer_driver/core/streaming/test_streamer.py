"""The streamer against the virtual firmware, in simulated time, with and without noise."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.gcode.gcode_lines import (
    FileCommand,
    commands_of,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.errors import GcodeError
from printer_driver.printer import Connection, PrinterStatus, PrintReport, PrintState
from printer_driver.virtual.firmware import (
    Executed,
    Firmware,
    Say,
)

GCODE = Path(__file__).parents[3] / "data" / "gcode"
PRINT_ID = "p1"
KNOWN_REPLIES = [
    b"ok\n",
    b"ok T:20 /0\n",
    b"Resend: 1\n",
    b"Resend: 2\n",
    b"Error:checksum mismatch, Last Line: 0\n",
    b"start\n",
    b"echo:busy: processing\n",
    b"Error:Probing Failed\n",
    b"// action:pause\n",
]
HOUSEKEEPING = {"M105", "M114", "M115", "M400", "M113 S1", "M155 S2"}


def flips(seed: int, bytes_between: int) -> Callable[[bytes], bytes]:
    """Noise: one flipped bit now and then, never two in one line.

    Two flips of one bit column cancel out in Marlin's checksum, which no host can see.
    """
    chance = random.Random(seed)
    left = chance.randint(1, bytes_between)

    def disturb(data: bytes) -> bytes:
        nonlocal left
        noisy = bytearray(data)
        for index in range(len(noisy)):
            left -= 1
            if left == 0:
                noisy[index] ^= 1 << chance.randrange(8)
                left = chance.randint(100, bytes_between)
        return bytes(noisy)

    return disturb


@dataclass
class Bench:
    """A streamer and a firmware on one wire with 1 ms of latency each way."""

    firmware: Firmware = field(default_factory=Firmware)
    streamer: Streamer = field(default_factory=Streamer)
    reply_noise: Callable[[bytes], bytes] = bytes
    now_s: float = 0.0
    executed: list[Executed] = field(default_factory=list)
    ended: list[PrintReport] = field(default_factory=list)
    sent: bytearray = field(default_factory=bytearray)
    is_connected: bool = True
    latency_s: float = 0.001
    turns: int = 0
    turn_s: float = -1.0
    _wire: list[tuple[float, bool, bytes]] = field(default_factory=list)

    def open(self) -> None:
        self.streamer.receive(ev.PortOpened(), self.now_s)
        self.run(lambda: self.status.connection is Connection.READY)

    @property
    def status(self) -> PrinterStatus:
        return self.streamer.status(self.now_s)

    def start(self, commands: Iterator[FileCommand]) -> None:
        self.streamer.receive(
            ev.StartPrint(print_id=PRINT_ID, commands=commands, bytes_total=100), self.now_s
        )

    def tell(self, event: ev.Event) -> None:
        self.streamer.receive(event, self.now_s)

    def run(self, until: Callable[[], bool], limit_s: float = 40_000) -> None:
        stop_s = self.now_s + limit_s
        while not until():
            self._collect()
            due = [t for t in (self.streamer.next_deadline_s(), self._firmware_due()) if t]
            due += [t for t, _, _ in self._wire[:1]]
            self.now_s = max(self.now_s, min(due))
            self.turns = self.turns + 1 if self.now_s == self.turn_s else 0
            self.turn_s = self.now_s
            assert self.turns < 1000, "it turns in circles"
            assert self.now_s < stop_s, (self.status, self.streamer._lines.in_flight)
            self._deliver()

    def _firmware_due(self) -> float | None:
        return self.firmware.next_deadline_s() if self.is_connected else None

    def _collect(self) -> None:
        for effect in self.streamer.effects():
            if isinstance(effect, ev.Send):
                self.sent += effect.data
                self._wire.append((self.now_s + self.latency_s, True, effect.data))
            elif isinstance(effect, ev.PrintEnded):
                self.ended.append(effect.report)
        for said in self.firmware.effects():
            if isinstance(said, Executed):
                self.executed.append(said)
            elif isinstance(said, Say):
                data = self.reply_noise(said.data)
                self._wire.append((self.now_s + self.latency_s, False, data))

    def _deliver(self) -> None:
        self._wire.sort(key=lambda item: item[0])
        while self._wire and self._wire[0][0] <= self.now_s:
            _, to_firmware, data = self._wire.pop(0)
            if not self.is_connected:
                continue
            if to_firmware:
                self.firmware.receive(data, self.now_s)
            else:
                self.streamer.receive(ev.Received(data=data), self.now_s)
        if self.is_connected:
            self.firmware.tick(self.now_s)
        self.streamer.tick(self.now_s)

    def printed(self) -> list[str]:
        """What was executed of the file: with a number, which the firmware has checked."""
        return [
            x.command
            for x in self.executed
            if x.line_number is not None
            and x.command not in HOUSEKEEPING
            and not x.command.startswith("M110")
        ]

    def over(self) -> bool:
        return bool(self.ended)


def commands(name: str) -> Iterator[FileCommand]:
    with (GCODE / name).open("rb") as file:
        yield from commands_of(file.readlines())


def texts(name: str) -> list[str]:
    return [command.text for command in commands(name)]


def made(*lines: str) -> Iterator[FileCommand]:
    return commands_of([f"{line}\n".encode() for line in lines])


@pytest.mark.parametrize("name", ["pin_ender3.gcode", "pin_mk3s.gcode", "pin_mini.gcode"])
def test_executes_exactly_the_file(name: str) -> None:
    bench = Bench()
    bench.open()
    bench.start(commands(name))
    bench.run(bench.over)
    assert bench.printed() == texts(name)
    (report,) = bench.ended
    assert report.state is PrintState.DONE
    assert report.lines_done == len(texts(name))
    assert bench.status.firmware.startswith("Marlin")


@pytest.mark.parametrize("seed", range(40))
def test_noise_in_both_directions_changes_nothing(seed: int) -> None:
    bench = Bench(
        firmware=Firmware(line_noise=flips(seed, 1500)), reply_noise=flips(seed + 1000, 1500)
    )
    bench.open()
    bench.start(commands("pin_ender3.gcode"))
    bench.run(bench.over)
    assert bench.printed() == texts("pin_ender3.gcode")
    assert bench.ended[0].state is PrintState.DONE
    assert bench.ended[0].lines_done == len(texts("pin_ender3.gcode"))
    assert not [x for x in bench.executed if x.line_number is None and x.command[0] in "GT"]


def test_noise_is_noticed_at_all() -> None:
    """Else the test above would prove nothing."""
    said: list[bytes] = []

    def listen(data: bytes) -> bytes:
        said.append(data)
        return data

    bench = Bench(firmware=Firmware(line_noise=flips(1, 1500)), reply_noise=listen)
    bench.open()
    bench.start(commands("pin_ender3.gcode"))
    bench.run(bench.over)
    assert b"".join(said).count(b"Resend:") > 10


def test_pause_drains_and_resume_goes_on() -> None:
    bench = Bench()
    bench.open()
    bench.start(commands("pin_ender3.gcode"))
    bench.run(lambda: len(bench.printed()) > 300)
    bench.tell(ev.PausePrint())
    bench.run(lambda: bool(bench.status.print and bench.status.print.state is PrintState.PAUSED))
    count, pause_s = len(bench.printed()), bench.now_s
    bench.run(lambda: bench.now_s > pause_s + 60)
    assert len(bench.printed()) == count
    bench.tell(ev.ResumePrint())
    bench.run(bench.over)
    assert bench.printed() == texts("pin_ender3.gcode")


def test_cancel_breaks_a_heating_wait_and_switches_off() -> None:
    bench = Bench()
    bench.open()
    bench.start(made("M109 S250", "G1 X100 F600"))
    bench.run(lambda: bench.now_s > 5)
    bench.tell(ev.CancelPrint(reason="Enough."))
    bench.run(bench.over, limit_s=5)
    assert bench.ended[0].state is PrintState.CANCELLED
    assert bench.ended[0].reason == "Enough."
    assert bench.printed() == ["M109 S250", "M104 S0", "M140 S0", "M107", "M84"]


def test_cancel_before_the_first_line() -> None:
    bench = Bench()
    bench.open()
    bench.start(made("G28"))
    bench.tell(ev.CancelPrint(reason="No."))
    bench.run(bench.over)
    assert bench.ended[0].state is PrintState.CANCELLED
    assert bench.ended[0].reason == "No."


@pytest.mark.parametrize(
    ("line", "connection"),
    [
        (b"Error:Thermal Runaway, system stopped! Heater_ID: 0\n", Connection.HALTED),
        (b"Error:Probing Failed\n", Connection.CONNECTING),
        (b"start\n", Connection.CONNECTING),
    ],
)
def test_the_printer_gives_up(line: bytes, connection: Connection) -> None:
    bench = Bench()
    bench.open()
    bench.start(commands("pin_ender3.gcode"))
    bench.run(lambda: len(bench.printed()) > 100)
    bench.tell(ev.Received(data=line))
    assert bench.status.connection is connection
    bench.run(bench.over)
    assert bench.ended[0].state is PrintState.FAILED
    assert 0 < bench.ended[0].lines_done <= len(bench.printed())
    later_s = bench.now_s + 20
    if connection is Connection.CONNECTING:
        bench.run(lambda: bench.now_s > later_s)
        assert bench.status.connection is Connection.READY
        assert bench.printed()[-2:] == ["M104 S0", "M140 S0"]
    else:
        assert "Thermal Runaway" in bench.ended[0].reason
        assert b"\nM104 S0\nM140 S0\n" in bytes(bench.sent)


def test_a_halted_printer_comes_back_when_it_boots() -> None:
    bench = Bench()
    bench.open()
    bench.tell(ev.HaltFirmware())
    assert bench.status.connection is Connection.HALTED
    bench._collect()
    assert bytes(bench.sent).endswith(b"\nM112\n")
    bench._wire.clear()
    bench.firmware = Firmware()
    bench.run(lambda: bench.status.connection is Connection.READY)
    assert bench.printed()[-2:] == ["M104 S0", "M140 S0"]


def test_the_port_goes_and_comes_back() -> None:
    bench = Bench()
    bench.open()
    bench.start(commands("pin_ender3.gcode"))
    bench.run(lambda: len(bench.printed()) > 100)
    bench.tell(ev.PortLost(reason="The cable is out."))
    assert bench.status.connection is Connection.OFFLINE
    bench._collect()
    assert "The cable is out." in bench.ended[0].reason
    bench.open()
    assert bench.printed()[-2:] == ["M104 S0", "M140 S0"]


def test_a_printer_that_falls_silent_is_given_up() -> None:
    bench = Bench()
    bench.open()
    bench.start(commands("pin_ender3.gcode"))
    bench.run(lambda: len(bench.printed()) > 100)
    bench.is_connected = False
    before = len(bench.sent)
    bench.run(bench.over)
    assert "10 minutes" in bench.ended[0].reason
    assert len(bench.sent) - before < 400  # it is not flooded meanwhile


def test_a_printer_that_never_answers_has_a_problem() -> None:
    bench = Bench(is_connected=False)
    bench.streamer.receive(ev.PortOpened(), 0.0)
    bench.run(lambda: bench.now_s > 20)
    assert bench.status.connection is Connection.CONNECTING
    assert "baud" in bench.status.problem


def test_a_file_that_breaks_off_fails_the_print() -> None:
    def breaking() -> Iterator[FileCommand]:
        yield from made("G28", "G1 X1")
        raise GcodeError("The disk is gone.")

    bench = Bench()
    bench.open()
    bench.start(breaking())
    bench.run(bench.over)
    assert bench.ended[0].state is PrintState.FAILED
    assert bench.ended[0].reason == "The disk is gone."


def test_heaters_go_off_first_after_an_interrupted_print() -> None:
    bench = Bench(streamer=Streamer(heaters_off_first=True))
    bench.open()
    assert bench.printed()[:2] == ["M104 S0", "M140 S0"]  # said once without waiting to be heard
    assert bench.printed()[-2:] == ["M104 S0", "M140 S0"]


def test_the_panel_may_pause_and_cancel() -> None:
    bench = Bench()
    bench.open()
    bench.start(commands("pin_ender3.gcode"))
    bench.run(lambda: len(bench.printed()) > 100)
    bench.tell(ev.Received(data=b"//action:pause\n"))
    bench.run(lambda: bool(bench.status.print and bench.status.print.state is PrintState.PAUSED))
    bench.tell(ev.Received(data=b"//action:cancel\n"))
    bench.run(bench.over)
    assert bench.ended[0].state is PrintState.CANCELLED
    assert "at the printer" in bench.ended[0].reason


def test_idle_it_watches_the_temperatures() -> None:
    bench = Bench()
    bench.open()
    bench.run(lambda: bench.now_s > 100)
    assert {x.name for x in bench.status.temperatures} == {"T0", "B"}
    assert 45 <= bytes(bench.sent).count(b"M105") <= 55


@given(st.lists(st.binary(max_size=80) | st.sampled_from(KNOWN_REPLIES), max_size=60))
def test_whatever_the_printer_says_it_goes_on(pieces: list[bytes]) -> None:
    streamer = Streamer()
    streamer.receive(ev.PortOpened(), 0.0)
    now_s = 0.0
    for piece in pieces:
        now_s += 0.3
        streamer.receive(ev.Received(data=piece), now_s)
        if streamer.can_start:
            streamer.receive(
                ev.StartPrint(print_id=PRINT_ID, commands=made("G28", "G1 X1"), bytes_total=1),
                now_s,
            )
        streamer.effects()
        streamer.status(now_s)
        due_s = streamer.next_deadline_s()
        assert due_s is None or due_s > now_s - 0.3
