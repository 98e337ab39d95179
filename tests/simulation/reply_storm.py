"""Hostile and broken replies, in virtual time: a defined state at every moment, rest in the end.

    python -m tests.simulation.reply_storm --hours 1

A source of `hostile_sayings` speaks beside a virtual board, into the middle of its answers, or
instead of it, while prints are started, paused, cancelled, the port lost, the board stopped and
reset. Then it falls silent and a clean board answers alone: the streamer comes to rest, and the
heaters are off unless the print is done. A seed that fails is printed and ends the run with
status 1.
"""

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from math import inf

from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
)
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import Connection, PrintReport, PrintState
from printer_driver.virtual.board import Board
from printer_driver.virtual.firmware import Say
from printer_driver.virtual.incidents import (
    Incident,
    IncidentKind,
)
from tests.simulation.hostile_replies import Sayings
from tests.simulation.reply_judge import (
    FOOTPRINT_BYTES_MAX,
    check,
    check_effects,
    footprint_bytes,
)
from tests.simulation.reply_scene import Moment, Place, Storm, a_file, moment_of, storm_of

REST_S_MAX = 1500.0
"""The board's heating, the rest of the file, and ten minutes of silence that may be meant."""
HALT_COOL_S = 120.0
"""A halted streamer, and a board that goes on: until its heaters are off."""
BOOT_S_MAX = 40.0
STILL_S = 0.5
TICKS_PER_S_MAX = 300
ROUNDS_MAX = 20
STEPS_MAX = 400_000
FOOTPRINT_EVERY = 500


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What came of it."""

    prints: Counter[str] = field(default_factory=Counter)
    halts: int = 0
    rest_s: float = 0.0
    """From the last hostile byte until all is at rest."""
    ticks_per_s: int = 0
    """At most, those that the streamer itself asked for."""
    footprint_bytes: int = 0
    heard_bytes: int = 0


def run(storm: Storm) -> Outcome:
    """One storm and the calm behind it. Raises `AssertionError`."""
    return _Run(storm).run()


class _Run:
    def __init__(self, storm: Storm) -> None:
        self._storm = storm
        self._chance = random.Random(storm.seed + 1)
        self._sayings = Sayings(storm.malice, self._chance)
        self._board = Board(storm.board, self._chance.random)
        park = Park(x=100, y=100) if storm.parks else None
        self._streamer = Streamer(settings=StreamSettings(park=park))
        self._outcome = Outcome()
        self._now_s = 0.0
        self._is_calm = False
        self._hostile_s = self._act_s = 0.0
        self._started = 0
        self._last: PrintReport | None = None
        self._second = self._ticks = self._steps = self._heard_lines = 0

    def run(self) -> Outcome:
        self._tell(ev.PortOpened())
        while self._now_s < self._storm.lasts_s:
            self._step()
        self._is_calm, self._hostile_s, self._act_s = True, inf, inf
        calm_s = self._now_s
        self._come_to_rest(calm_s)
        self._outcome.rest_s = self._now_s - calm_s
        self._weigh()
        return self._outcome

    # --- time --------------------------------------------------------------------------------

    def _step(self) -> None:
        streamer_s = self._streamer.next_deadline_s()
        board_s = self._board.next_deadline_s()
        dues = [x for x in (streamer_s, board_s, self._hostile_s, self._act_s) if x is not None]
        self._now_s = max(self._now_s, min(*dues, self._now_s + 1.0))
        self._board.tick(self._now_s)
        self._hear_board()
        if streamer_s is not None and streamer_s <= self._now_s:
            self._count_tick()
            self._streamer.tick(self._now_s)
            self._settle()
        if self._hostile_s <= self._now_s:
            self._speak()
        if self._act_s <= self._now_s:
            self._act()
        self._steps += 1
        assert self._steps < STEPS_MAX, "it turns in circles"
        if self._steps % FOOTPRINT_EVERY == 0:
            self._weigh()

    def _count_tick(self) -> None:
        if self._second != int(self._now_s):
            self._second, self._ticks = int(self._now_s), 0
        self._ticks += 1
        self._outcome.ticks_per_s = max(self._outcome.ticks_per_s, self._ticks)
        assert self._ticks <= TICKS_PER_S_MAX, "a busy loop"

    def _weigh(self) -> None:
        size = footprint_bytes(self._streamer)
        self._outcome.footprint_bytes = max(self._outcome.footprint_bytes, size)
        assert size <= FOOTPRINT_BYTES_MAX, f"{size} bytes are held"

    def _tell(self, event: ev.Event) -> None:
        if isinstance(event, ev.Received):
            self._heard_lines += event.data.count(b"\n")
            self._outcome.heard_bytes += len(event.data)
        elif isinstance(event, ev.SendCommands):
            self._heard_lines += len(event.commands)
        self._streamer.receive(event, self._now_s)
        self._settle()

    def _settle(self) -> None:
        """Take the effects; until nothing more is due at this moment."""
        for _ in range(ROUNDS_MAX):
            effects = self._streamer.effects()
            check_effects(effects, self._heard_lines)
            self._heard_lines = 0
            for effect in effects:
                self._do(effect)
            due_s = self._streamer.next_deadline_s()
            if due_s is None or due_s > self._now_s:
                check(self._streamer, self._now_s)
                return
            self._streamer.tick(self._now_s)
        raise AssertionError("it asks to be called for nothing")

    def _do(self, effect: ev.Effect) -> None:
        if isinstance(effect, ev.Send):
            self._board.receive(effect.data, self._now_s)
        elif isinstance(effect, ev.PrintEnded):
            assert effect.report.print_id == f"p{self._started}", "a print ended twice"
            assert self._last is None or self._last.print_id != effect.report.print_id
            self._last = effect.report
            self._outcome.prints[effect.report.state.value] += 1

    # --- what the streamer hears -------------------------------------------------------------

    def _hear_board(self) -> None:
        said = b"".join(x.data for x in self._board.effects() if isinstance(x, Say))
        if not said:
            return
        is_hostile = not self._is_calm and self._moment in self._storm.moments
        if is_hostile and self._storm.place is Place.INSTEAD:
            return
        if is_hostile and self._storm.place is Place.WITHIN and self._chance.random() < 0.2:
            at = self._chance.randrange(len(said) + 1)
            burst = self._sayings.burst(self._streamer.last_number)
            said = b"".join((said[:at], *burst, said[at:]))
        self._tell(ev.Received(data=said))

    def _speak(self) -> None:
        self._hostile_s = self._now_s + self._chance.expovariate(1 / self._storm.every_s)
        if self._moment in self._storm.moments:
            for data in self._sayings.burst(self._streamer.last_number):
                self._tell(ev.Received(data=data))

    @property
    def _moment(self) -> Moment:
        status = self._streamer.status(self._now_s)
        return moment_of(status, is_printing=self._streamer.is_printing)

    # --- what people do ----------------------------------------------------------------------

    def _act(self) -> None:
        """Something at random; a print as soon as one can be started."""
        chance = self._chance
        self._act_s = self._now_s + chance.expovariate(1 / 3)
        connection = self._streamer.status(self._now_s).connection
        if connection is Connection.OFFLINE:
            self._tell(ev.PortOpened())
        elif connection is Connection.HALTED or self._board.condition.is_killed:
            self._outcome.halts += 1
            self._reset()
        elif self._streamer.can_start and chance.random() < 0.8:
            self._start()
        elif event := chance.choices(*zip(*_ACTS, strict=True))[0]:
            self._tell(event)
        else:
            self._reset()

    def _start(self) -> None:
        self._started += 1
        lines = list(a_file(self._chance))
        self._tell(
            ev.StartPrint(
                print_id=f"p{self._started}",
                commands=commands_of(iter(lines)),
                bytes_total=sum(map(len, lines)),
            )
        )

    def _reset(self) -> None:
        self._board.cause(Incident(kind=IncidentKind.RESET), self._now_s)
        if not self._storm.board.firmware.dialect.banner:  # Klipper's host process says it
            self._tell(ev.Received(data=b"// Klipper state: Ready\n"))

    # --- the calm ----------------------------------------------------------------------------

    def _come_to_rest(self, calm_s: float) -> None:
        """A clean board answers; a person resumes what waits, and resets what has halted."""
        reset_s, resume_s = -inf, -inf
        halted_s = rested_s = self._now_s
        while True:
            self._step()
            status = self._streamer.status(self._now_s)
            is_paused = self._streamer.is_printing and self._moment is Moment.PAUSED
            is_halted = status.connection is Connection.HALTED
            if not is_halted:
                halted_s = self._now_s
            if not self._is_at_rest:
                rested_s = self._now_s
            elif self._now_s >= rested_s + STILL_S:
                return
            if is_paused and self._now_s >= resume_s + 1:
                resume_s = self._now_s
                self._tell(ev.ResumePrint())
            if status.connection is Connection.OFFLINE:
                self._tell(ev.PortOpened())
            is_cool = not self._is_hot
            is_stuck = self._board.condition.is_killed or (is_halted and is_cool)
            assert is_cool or self._now_s < halted_s + HALT_COOL_S, "hot, and halted for good"
            if is_stuck and self._now_s >= reset_s + BOOT_S_MAX:
                reset_s = self._now_s
                self._reset()
            assert self._now_s < calm_s + REST_S_MAX, f"no rest: {status}, hot: {self._is_hot}"

    @property
    def _is_at_rest(self) -> bool:
        if not self._streamer.can_start or self._streamer.owes_cooling:
            return False
        return not self._is_hot

    @property
    def _is_hot(self) -> bool:
        """Heaters are on which the streamer is to have switched off."""
        if self._last is None or self._last.state is PrintState.DONE or self._storm.malice.forges:
            return False
        condition = self._board.condition
        return bool(condition.nozzle_target_c or condition.bed_target_c)


_ACTS: tuple[tuple[ev.Event | None, float], ...] = (
    (ev.PausePrint(), 6),
    (ev.ResumePrint(), 6),
    (ev.CancelPrint(reason="Not wanted any more."), 2),
    (ev.AnswerPrompt(choice=1), 1),
    (ev.SendCommands(commands=("M117 hello", "G1 X1\nG1 X2", "é" * 99) * 20), 1),
    (ev.HaltFirmware(), 0.3),
    (ev.PortLost(reason="The cable is out."), 0.3),
    (None, 0.3),  # somebody presses the reset button
)


def main() -> int:
    """Run storms and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--goes-on", action="store_true", help="behind a seed that fails")
    given = parser.parse_args()
    begun_s = said_s = time.monotonic()
    seed, failed, total, longest_s = given.first, [], Outcome(), (0.0, 0)
    seeds = given.seeds or (0 if given.hours else 200)
    while seed < given.first + seeds or time.monotonic() < begun_s + given.hours * 3600:
        storm = storm_of(seed)
        try:
            outcome = run(storm)
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed is told
            traceback.print_exc(limit=-3)
            print(f"seed {seed} fails: {error!r:.400}\n{storm}", flush=True)
            failed.append(seed)
            if not given.goes_on:
                return 1
        else:
            _add(total, outcome)
            longest_s = max(longest_s, (outcome.rest_s, seed))
        seed += 1
        if time.monotonic() >= said_s + 60:
            said_s = time.monotonic()
            print(_summary(seed - given.first, total, longest_s), flush=True)
    print(_summary(seed - given.first, total, longest_s))
    print(f"failed: {failed}" if failed else "all at rest")
    return 1 if failed else 0


def _add(total: Outcome, outcome: Outcome) -> None:
    total.prints += outcome.prints
    total.halts += outcome.halts
    total.heard_bytes += outcome.heard_bytes
    total.ticks_per_s = max(total.ticks_per_s, outcome.ticks_per_s)
    total.footprint_bytes = max(total.footprint_bytes, outcome.footprint_bytes)


def _summary(seeds: int, total: Outcome, longest_s: tuple[float, int]) -> str:
    prints = ", ".join(f"{count} {state}" for state, count in sorted(total.prints.items()))
    return (
        f"{seeds} storms, {total.heard_bytes / 1e6:.0f} MB heard; {prints}; {total.halts} resets; "
        f"at rest after {longest_s[0]:.0f} s at most (seed {longest_s[1]}); "
        f"{total.ticks_per_s} ticks/s, {total.footprint_bytes // 1024} KiB at most"
    )


if __name__ == "__main__":
    sys.exit(main())
