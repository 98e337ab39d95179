"""Prints over a bad wire, in virtual time: what is executed must be the file, or it is reported.

    python -m tests.simulation.serial_storm --seeds 1000 --rate 0.0005 --pauses 5

Streamer and virtual board are wired at 115200 baud with 1 ms of USB latency. Somebody may pause,
resume and cancel at random moments: what is printed is the same then, place by place, and a cancel
ends at rest and cold. `--hours` goes on with new seeds until the time is over; a seed that fails is
printed and ends the run with status 1.
"""

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    kind_of,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
)
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import PrintReport, PrintState
from printer_driver.virtual.board import (
    Board,
    BoardSetup,
)
from printer_driver.virtual.firmware import Executed
from printer_driver.virtual.noise import NoiseRates
from printer_driver.virtual.usb_wire import Wiring
from printer_driver.virtual.virtual_dialects import FirmwareSetup
from tests.simulation.executed_commands import (
    PlannedMove,
    Witness,
)
from tests.simulation.serial_judge import ABSOLUTE, complaint, file_commands
from tests.simulation.serial_operator import Hand

LIMIT_S = 20_000.0
NEVER_BEGUN = PrintReport(
    print_id="storm", state=PrintState.FAILED, reason="A damaged line was an M112."
)
REST_S_MAX = 120.0
TAKE_TIME = ("M109", "M190", "G4", "G28")
UNCHECKED = frozenset({"M105", "M108", "M410", "M112", "M104 S0", "M140 S0"})
"""What the driver itself sends without a number."""
PARK = Park(x=180.0, y=170.0)


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
    pauses: int = 0
    """So many times somebody pauses, and resumes."""
    parks: bool = False
    cancels: bool = False


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What came of it."""

    report: PrintReport | None = None
    executed: list[Executed] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    """What was executed of the file: with a number, which the firmware has checked."""
    moves: list[PlannedMove] = field(default_factory=list)
    """Those of the file."""
    standstill_s: float = 0.0
    """The longest time without motion in the middle of the print's moves."""
    pauses: int = 0
    pausing_s: float = 0.0
    """The longest time from the wish to the pause in which nothing was done; resuming the same."""
    resuming_s: float = 0.0
    cancelling_s: float = 0.0
    rest_s: float | None = 0.0
    """From the end of a print that is not done until printer and streamer rest and are cold; None:
    never."""
    filament_mm: float = 0.0
    resends: int = 0
    strays: int = 0

    @property
    def strays_executed(self) -> list[str]:
        """Pieces of lines that ran unchecked, and are commands."""
        return [
            x.command
            for x in self.executed
            if x.line_number is None
            and x.command[:1] in tuple("GMT")
            and x.command not in UNCHECKED
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
                firmware=FirmwareSetup(
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
        park = PARK if storm.parks else None
        self._streamer = Streamer(settings=StreamSettings(compacts=storm.compacts, park=park))
        self._executed = Witness(self._board)
        self._operator = Hand(
            pauses=storm.pauses,
            cancels=storm.cancels,
            lines=len(list(file_commands(storm.file))),
            chance=random.Random(storm.seed + 1),
        )
        self._outcome = Outcome()
        self._now_s = 0.0
        self._moved_s = 0.0
        self._is_started = False

    def run(self) -> Outcome:
        self._streamer.receive(ev.PortOpened(), 0.0)
        while self._outcome.report is None:
            self._step()
            if self._board.condition.is_killed and not self._is_started:
                self._outcome.report = NEVER_BEGUN
                return self._outcome
            assert self._now_s < LIMIT_S, f"{self._storm} hangs"
        self._finish()
        if self._outcome.report.state is not PrintState.DONE:
            self._outcome.rest_s = self._come_to_rest()
        return self._outcome

    def _step(self) -> None:
        self._collect()
        self._watch_standstill()
        dues = (
            self._streamer.next_deadline_s(),
            self._board.next_deadline_s(),
            self._operator.at_s,
        )
        self._now_s = max(self._now_s, min(due for due in dues if due is not None))
        self._board.tick(self._now_s)
        self._streamer.tick(self._now_s)
        last = self._outcome.executed[-1].command if self._outcome.executed else ""
        is_busy = self._board.condition.is_moving or last.startswith(TAKE_TIME)
        if wish := self._operator.act(self._streamer, self._executed, self._now_s, is_busy=is_busy):
            self._executed.is_cancelled = isinstance(wish, ev.CancelPrint)
            self._streamer.receive(wish, self._now_s)

    def _collect(self) -> None:
        for effect in self._board.effects():
            if isinstance(effect, Executed):
                self._outcome.executed.append(effect)
                self._executed.executed(effect)
            else:
                self._streamer.receive(ev.Received(data=effect.data), self._now_s)
        if self._streamer.can_start and not self._is_started:
            self._start()
        for sent in self._streamer.effects():
            if isinstance(sent, ev.Send):
                self._executed.sent(sent.lines)
                self._board.receive(sent.data, self._now_s)
            elif isinstance(sent, ev.PrintEnded):
                self._outcome.report = sent.report

    def _come_to_rest(self) -> float | None:
        end_s = self._now_s
        while self._now_s < end_s + REST_S_MAX:
            self._step()
            at = self._board.condition
            is_cold = not (at.nozzle_target_c or at.bed_target_c)
            is_over = self._streamer.can_start and not self._streamer.owes_cooling
            if is_over and is_cold and not at.is_moving:
                return self._now_s - end_s
        return None

    def _start(self) -> None:
        self._is_started = True
        self._streamer.receive(
            ev.StartPrint(
                print_id="storm", commands=file_commands(self._storm.file), bytes_total=1
            ),
            self._now_s,
        )

    def _watch_standstill(self) -> None:
        executed = self._outcome.executed
        is_print = executed and kind_of(executed[-1].command) in (
            CommandKind.MOVE,
            CommandKind.HARMLESS,
        )
        is_meant = self._operator.is_holding or self._outcome.report is not None
        if not is_print or is_meant or self._board.condition.is_moving:
            self._moved_s = self._now_s
        still_s = self._now_s - self._moved_s
        self._outcome.standstill_s = max(self._outcome.standstill_s, still_s)

    def _finish(self) -> None:
        telemetry = self._streamer.telemetry(self._now_s)
        self._outcome.resends = telemetry.resends
        self._outcome.strays = telemetry.stray_lines
        self._outcome.filament_mm = self._board.condition.totals.e_mm
        self._outcome.printed, self._outcome.moves = self._executed.printed, self._executed.moves
        operator = self._operator
        self._outcome.pauses = operator.pauses
        self._outcome.pausing_s, self._outcome.resuming_s = operator.pausing_s, operator.resuming_s
        self._outcome.cancelling_s = operator.cancelling_s(self._now_s)


def main() -> int:
    """Run storms and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--file", default="pin_ender3.gcode", help=f"or {ABSOLUTE}")
    parser.add_argument("--pauses", type=int, default=0)
    parser.add_argument("--cancels", action="store_true")
    parser.add_argument("--goes-on", action="store_true", help="behind a seed that fails")
    given = parser.parse_args()
    calm = run(Storm(seed=0, rate=0.0, file=given.file))
    stop_s, seed, failed = time.monotonic() + given.hours * 3600, given.first, []
    total = Counter[str]()
    while seed < given.first + given.seeds or time.monotonic() < stop_s:
        storm = storm_of(seed, given)
        outcome = run(storm)
        if trouble := complaint(storm, outcome, calm):
            print(f"{storm}: {trouble}", flush=True)
            failed.append(seed)
            if not given.goes_on:
                return 1
        assert outcome.report
        total[outcome.report.state.value] += 1
        total["resends"] += outcome.resends
        total["strays"] += outcome.strays
        total["pauses"] += outcome.pauses
        for name in ("standstill_s", "pausing_s", "resuming_s", "cancelling_s", "rest_s"):
            total[name] = max(total[name], round(getattr(outcome, name) or 0))
        seed += 1
    print(", ".join(f"{count} {name}" for name, count in total.items()))
    print(f"failed: {failed}" if failed else "all as the file says, or stopped and cold")
    return 1 if failed else 0


def storm_of(seed: int, given: argparse.Namespace) -> Storm:
    """The storm of a seed, with what was given."""
    chance = random.Random(seed)
    return Storm(
        seed=seed,
        rate=given.rate,
        file=given.file,
        advanced_ok=chance.random() < 0.5,
        emergency_parser=chance.random() < 0.5,
        compacts=chance.random() < 0.5,
        pauses=given.pauses,
        parks=chance.random() < 0.5,
        cancels=given.cancels,
    )


if __name__ == "__main__":
    sys.exit(main())
