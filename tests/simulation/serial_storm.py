"""Prints over a bad wire, in virtual time: what is executed must be the file, or it is reported.

    python -m tests.simulation.serial_storm --seeds 1000 --rate 0.0005

Streamer and virtual board are wired at 115200 baud with 1 ms of USB latency. `--hours` goes on with
new seeds until the time is over; a seed that fails is printed and ends the run with status 1.
"""

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from printer_driver.core import events as ev
from printer_driver.core.board import Board, BoardSetup
from printer_driver.core.command import Kind, kind_of
from printer_driver.core.compact import compact
from printer_driver.core.firmware import Executed
from printer_driver.core.firmware_setup import Setup
from printer_driver.core.gcode import FileCommand, commands_of
from printer_driver.core.noise import NoiseRates
from printer_driver.core.settings import StreamSettings
from printer_driver.core.streaming import Streamer
from printer_driver.core.usb import Wiring
from printer_driver.printer import PrintId, PrintReport, PrintState

GCODE = Path(__file__).parents[1] / "data" / "gcode"
LIMIT_S = 20_000.0
STANDSTILL_S_MAX = 2.0
OWN = frozenset({"M105", "M114", "M115", "M400", "M113 S1", "M155 S2"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Storm:
    """One run."""

    seed: int
    rate: float
    """Faults for each byte: half of them flips, half drops; the same in both directions."""
    file: str = "pin_ender3.gcode"
    advanced_ok: bool = False
    emergency_parser: bool = False
    rx_bytes: int = 128
    compacts: bool = False
    baud: int = 115200
    apart_bytes: int = 90
    """Between two faults: more of them in one line may pass its checksum."""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What came of it."""

    report: PrintReport | None = None
    executed: list[Executed] = field(default_factory=list)
    standstill_s: float = 0.0
    """The longest time without motion in the middle of the print's moves."""
    filament_mm: float = 0.0
    resends: int = 0
    strays: int = 0

    @property
    def printed(self) -> list[str]:
        """What was executed of the file: with a number, which the firmware has checked."""
        return [
            x.command
            for x in self.executed
            if x.line_number is not None
            and x.command not in OWN
            and not x.command.startswith("M110")
        ]

    @property
    def strays_executed(self) -> list[str]:
        """Pieces of lines that ran unchecked, and are commands."""
        own = ("M105", "M108", "M410", "M112")
        return [
            x.command
            for x in self.executed
            if x.line_number is None and x.command[:1] in tuple("GMT") and x.command not in own
        ]


def run(storm: Storm) -> Outcome:
    """One print from its start to its end. Raises `AssertionError` when it never ends."""
    return _Run(storm).run()


class _Run:
    def __init__(self, storm: Storm) -> None:
        half = storm.rate / 2
        self._storm = storm
        self._board = Board(
            BoardSetup(
                firmware=Setup(
                    rx_bytes=storm.rx_bytes,
                    advanced_ok=storm.advanced_ok,
                    emergency_parser=storm.emergency_parser,
                ),
                wiring=Wiring(baud=storm.baud, latency_s=0.001),
                noise=NoiseRates(
                    flips_to_printer=half,
                    drops_to_printer=half,
                    flips_to_host=half,
                    drops_to_host=half,
                    lost_oks=storm.rate,
                    doubled_oks=storm.rate,
                    apart_bytes=storm.apart_bytes,
                ),
            ),
            random.Random(storm.seed).random,
        )
        self._streamer = Streamer(settings=StreamSettings(compacts=storm.compacts))
        self._outcome = Outcome()
        self._now_s = 0.0
        self._moved_s = 0.0
        self._is_started = False

    def run(self) -> Outcome:
        self._streamer.receive(ev.PortOpened(), 0.0)
        while self._outcome.report is None:
            self._collect()
            self._watch_standstill()
            dues = (self._streamer.next_deadline_s(), self._board.next_deadline_s())
            self._now_s = max(self._now_s, min(due for due in dues if due is not None))
            assert self._now_s < LIMIT_S, f"{self._storm} hangs"
            self._board.tick(self._now_s)
            self._streamer.tick(self._now_s)
        self._finish()
        return self._outcome

    def _collect(self) -> None:
        for effect in self._board.effects():
            if isinstance(effect, Executed):
                self._outcome.executed.append(effect)
            else:
                self._streamer.receive(ev.Received(data=effect.data), self._now_s)
        if self._streamer.can_start and not self._is_started:
            self._start()
        for sent in self._streamer.effects():
            if isinstance(sent, ev.Send):
                self._board.receive(sent.data, self._now_s)
            elif isinstance(sent, ev.PrintEnded):
                self._outcome.report = sent.report

    def _start(self) -> None:
        self._is_started = True
        self._streamer.receive(
            ev.StartPrint(
                print_id=PrintId("storm"), commands=file_commands(self._storm.file), bytes_total=1
            ),
            self._now_s,
        )

    def _watch_standstill(self) -> None:
        executed = self._outcome.executed
        is_print = executed and kind_of(executed[-1].command) in (Kind.MOVE, Kind.HARMLESS)
        if not is_print or self._board.condition.is_moving:
            self._moved_s = self._now_s
        still_s = self._now_s - self._moved_s
        self._outcome.standstill_s = max(self._outcome.standstill_s, still_s)

    def _finish(self) -> None:
        telemetry = self._streamer.telemetry(self._now_s)
        self._outcome.resends = telemetry.resends
        self._outcome.strays = telemetry.stray_lines
        self._outcome.filament_mm = self._board.condition.totals.e_mm


def file_commands(name: str) -> Iterator[FileCommand]:
    """The commands of a file of tests/data/gcode."""
    with (GCODE / name).open("rb") as file:
        yield from commands_of(file.readlines())


def complaint(storm: Storm, outcome: Outcome, filament_mm: float) -> str:
    """What is wrong with the outcome, empty for nothing. `filament_mm` as without noise."""
    report = outcome.report
    assert report is not None
    wanted = [command.text for command in file_commands(storm.file)]
    printed = outcome.printed
    if storm.compacts:
        wanted, printed = [compact(x) for x in wanted], [compact(x) for x in printed]
    printed = [x for x in printed if not _is_taken_back(x, outcome)]
    if report.state is not PrintState.DONE:
        is_beginning = printed[: len(wanted)] == wanted[: len(printed)]
        return "" if report.reason and is_beginning else f"stopped: {report}"
    if printed != wanted:
        return "what was executed is not the file"
    if report.lines_done != len(wanted):
        return f"{report.lines_done} of {len(wanted)} lines are reported"
    if abs(outcome.filament_mm - filament_mm) > 0.06:
        return f"{outcome.filament_mm - filament_mm:+.3f} mm of filament; {outcome.strays_executed}"
    if outcome.standstill_s > STANDSTILL_S_MAX:
        return f"it stood still for {outcome.standstill_s:.2f} s"
    return ""


def _is_taken_back(command: str, outcome: Outcome) -> bool:
    """The driver's own `G1 E-0.05397`: no file says a number to five places with nothing else."""
    return outcome.strays > 0 and re.fullmatch(r"G1 E-?\d+\.\d{5}", command) is not None


def main() -> int:
    """Run storms and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--file", default="pin_ender3.gcode")
    given = parser.parse_args()
    calm = run(Storm(seed=0, rate=0.0, file=given.file)).filament_mm
    stop_s, seed, done = time.monotonic() + given.hours * 3600, given.first, 0
    resends = stopped = strays = 0
    while seed < given.first + given.seeds or time.monotonic() < stop_s:
        chance = random.Random(seed)
        storm = Storm(
            seed=seed,
            rate=given.rate,
            file=given.file,
            advanced_ok=chance.random() < 0.5,
            emergency_parser=chance.random() < 0.5,
            compacts=chance.random() < 0.5,
        )
        outcome = run(storm)
        if trouble := complaint(storm, outcome, calm):
            print(f"{storm}: {trouble}", flush=True)
            return 1
        resends += outcome.resends
        strays += outcome.strays
        stopped += outcome.report is not None and outcome.report.state is not PrintState.DONE
        seed, done = seed + 1, done + 1
    print(f"{done} prints as the file says; {resends} resends, {strays} strays, {stopped} stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
