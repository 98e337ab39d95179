"""A virtual firmware: it checks, queues, plans, heats and answers like a real one.

`receive` takes bytes, `tick` lets time pass, `effects` returns bytes to send and the executed
commands, `next_deadline_s` says when something will happen by itself. It is Marlin 2.1 unless the
setup says otherwise. The wire is in `board.py`.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf

from printer_driver.core.gcode.gcode_lines import is_move
from printer_driver.virtual.firmware_commands import (
    Answered,
    Commands,
    Done,
    FirmwareWait,
    Habits,
    Halts,
    Waits,
)
from printer_driver.virtual.firmware_machine import (
    Condition,
    HeaterName,
    Machine,
)
from printer_driver.virtual.firmware_receiver import (
    LineAccepted,
    LineRefused,
    LineRepeated,
    Receiver,
)
from printer_driver.virtual.heaters import HeaterFault
from printer_driver.virtual.virtual_dialects import (
    BUFSIZE,
    RX_BYTES,
    Acknowledge,
    FirmwareSetup,
)

__all__ = ["BUFSIZE", "RX_BYTES", "Executed", "Firmware", "FirmwareSetup", "Say"]

REPORT_S = 1.0
WAIT_S = 1.0

_CODE = re.compile(r"([GMT])\s*(\d{1,4})(\.\d+)?")
_MOVES = frozenset({"G0", "G1", "G2", "G3"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    """Bytes for the host: whole lines."""

    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Executed:
    """A command that was executed or planned, as received, without number and checksum."""

    command: str
    line_number: int | None


class _State(Enum):
    BOOTING = "booting"
    RUNNING = "running"
    HUNG = "hung"
    KILLED = "killed"


class Firmware:
    """`line_noise` alters the received bytes, for tests."""

    def __init__(
        self, *, setup: FirmwareSetup | None = None, line_noise: Callable[[bytes], bytes] = bytes
    ) -> None:
        self._setup = setup or FirmwareSetup()
        self._dialect = self._setup.dialect
        self._line_noise = line_noise
        self._effects: list[Say | Executed] = []
        self._now_s = 0.0
        self._machine = Machine(self._setup)
        self._boot()

    def _boot(self) -> None:
        self._receiver = Receiver(self._setup)
        self._queue: deque[Executed] = deque()
        self._block: Waits | None = None
        self._block_say_s = inf
        self._state, self._state_ends_s = _State.RUNNING, inf
        self._habits = Habits()
        self._commands = Commands(self._setup, self._machine, self._habits)
        self._active_s = self._now_s
        self._wait_at_s = self._now_s + WAIT_S
        self._say(*self._dialect.banner)

    # --- what others see ---------------------------------------------------------------------

    def effects(self) -> list[Say | Executed]:
        """What was said and executed since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    @property
    def room_bytes(self) -> int:
        """What the receive buffer still takes."""
        return self._receiver.room_bytes

    @property
    def condition(self) -> Condition:
        """The machine now."""
        return self._machine.condition(self._now_s, is_killed=self._state is _State.KILLED)

    def receive(self, data: bytes, now_s: float) -> None:
        """Bytes from the host."""
        self.tick(now_s)
        if self._state is _State.BOOTING:
            return
        data = self._line_noise(data)
        self._receiver.take(data)
        for command in self._receiver.emergencies(data):
            self._act_early(command)
        self._work()
        self._receiver.lose_overflow()
        self.tick(now_s)

    def tick(self, now_s: float) -> None:
        """Let everything happen that happens until `now_s`, in its order."""
        while (due_s := self.next_deadline_s()) is not None and due_s <= now_s:
            self._now_s = max(self._now_s, due_s)
            self._pass_time()
            self._work()
        self._now_s = max(self._now_s, now_s)

    def next_deadline_s(self) -> float | None:
        """When something happens without further input."""
        if self._state is _State.RUNNING:
            due_s = min(self._habits.report_at_s, self._machine.alarm_s)
            due_s = min(due_s, self._inactive_s(), self._idle_s())
            if self._block:
                due_s = min(due_s, self._block.until_s, self._block_say_s)
        else:
            due_s = self._state_ends_s
        return None if due_s == inf else due_s

    # --- what happens to it ------------------------------------------------------------------

    def reset(self, now_s: float) -> None:
        """The reset button, or DTR: all but the warmth is forgotten; it boots."""
        self.tick(now_s)
        self._machine.motion.stop(self._now_s)
        self._machine.forget(self._now_s)
        self._queue.clear()
        self._block = None
        self._state, self._state_ends_s = _State.BOOTING, self._now_s + self._setup.boot_s

    def hang(self, duration_s: float, now_s: float) -> None:
        """It hears and says nothing for a while; what is planned still moves."""
        self.tick(now_s)
        if self._state is _State.RUNNING:
            self._state, self._state_ends_s = _State.HUNG, self._now_s + duration_s

    def break_heater(self, which: HeaterName, fault: HeaterFault, now_s: float) -> None:
        """Let something happen to a heater."""
        self.tick(now_s)
        self._machine.break_heater(which, fault, self._now_s)
        if self._block and self._block.heater is which:
            self._block = self._commands.until_heated(self._block, self._now_s)

    def say(self, line: str, now_s: float) -> None:
        """Something that nobody asked for, as `// action:pause` from its own panel."""
        self.tick(now_s)
        if self._state is _State.RUNNING:
            self._say(line)

    # --- receiving ---------------------------------------------------------------------------

    def _work(self) -> None:
        """Read and execute as far as possible."""
        progress = True
        while progress and self._state is _State.RUNNING:
            progress = self._read_line()
            if self._queue and self._block is None and self._state is _State.RUNNING:
                self._execute(self._queue[0])
                progress = True
        while self._state is _State.KILLED and (line := self._receiver.next()):
            self._answer_when_killed(line)

    def _read_line(self) -> bool:
        if len(self._queue) >= self._setup.command_slots:
            return False
        match self._receiver.next():
            case None:
                return False
            case LineAccepted(command=command, line_number=number):
                self._accept(Executed(command=command, line_number=number))
            case LineRefused(error=error):
                last = self._receiver.last_number
                refused = self._dialect.refused
                self._say(*(x.format(error=error, last=last, next=last + 1) for x in refused))
            case LineRepeated(number=number) if self._dialect.acknowledge is Acknowledge.RECEIVED:
                self._say(f"skip {number}", self._ok(number))
            case LineRepeated():
                pass
            case _ if self._dialect.answers_empty_lines:
                self._say("ok")
        return True

    def _accept(self, line: Executed) -> None:
        self._wait_at_s = self._now_s + WAIT_S
        if line.line_number is None and not self._setup.emergency_parser:
            self._act_early(line.command)
        if self._state is not _State.RUNNING:
            return
        self._queue.append(line)
        if self._dialect.acknowledge is Acknowledge.RECEIVED:
            self._say(self._ok(line.line_number))

    def _act_early(self, command: str) -> None:
        """M108, M112 and M410 do not wait for their turn.

        The emergency parser sees them in the receive interrupt; without it, a line is looked at
        when it is read into a free slot, and only if it came without a number.
        """
        if self._state is not _State.RUNNING:
            return
        if command.startswith("M108"):
            if self._block and self._block.wait in (FirmwareWait.HEATING, FirmwareWait.USER):
                self._finish()
        elif command.startswith("M112"):
            self._kill(*self._dialect.killed)
        elif command.startswith("M410"):
            self._quick_stop()

    def _quick_stop(self) -> None:
        self._machine.motion.stop(self._now_s)
        if self._block and self._block.wait in (FirmwareWait.PLANNER, FirmwareWait.BUSY):
            self._finish()

    def _answer_when_killed(self, line: object) -> None:
        command = line.command if isinstance(line, LineAccepted) else ""
        if self._dialect.leaves_kill and command.startswith(self._dialect.leaves_kill):
            self._state, self._state_ends_s = _State.RUNNING, inf
            self._say("ok")
        elif self._dialect.answer_when_killed:
            self._say(self._dialect.answer_when_killed)

    # --- time --------------------------------------------------------------------------------

    def _inactive_s(self) -> float:
        """M85: nothing moves or heats up; other commands do not count (`manage_inactivity`)."""
        habits = self._habits
        if habits.inactivity_s == inf or (self._block and self._block.wait is FirmwareWait.HEATING):
            return inf
        moved_s = max(self._active_s, self._machine.motion.last_end_s(0.0))
        return max(moved_s, habits.inactive_from_s) + habits.inactivity_s

    def _idle_s(self) -> float:
        is_idle = self._dialect.wait and not self._queue and self._block is None
        return self._wait_at_s if is_idle else inf

    def _pass_time(self) -> None:
        if self._state is not _State.RUNNING:
            self._wake()
            return
        now_s = self._now_s
        if self._machine.alarm_s <= now_s:
            self._kill(self._machine.alarm_text, *self._dialect.killed)
        elif self._inactive_s() <= now_s:
            self._kill("Error:!! KILL caused by too much inactive time", *self._dialect.killed)
        if self._habits.report_at_s <= now_s:
            self._habits.note_report(now_s)
            self._say(" " + self._machine.temperatures(now_s))
        if self._idle_s() <= now_s:
            self._wait_at_s = now_s + WAIT_S
            self._say(self._dialect.wait)
        if self._block:
            self._pass_block(self._block)

    def _wake(self) -> None:
        if self._state is _State.BOOTING:
            self._boot()
        else:
            self._state, self._state_ends_s = _State.RUNNING, inf

    def _pass_block(self, block: Waits) -> None:
        if block.until_s <= self._now_s:
            if block.wait is FirmwareWait.PLANNER:
                self._block = None
                self._execute_move(self._queue[0])
            else:
                self._finish()
        elif self._block_say_s <= self._now_s:
            self._keep_alive(block)

    def _keep_alive(self, block: Waits) -> None:
        if block.wait is FirmwareWait.HEATING:
            self._say(self._machine.heating(self._now_s, block.until_s))
        elif self._dialect.busy:
            why = FirmwareWait.USER if block.wait is FirmwareWait.USER else FirmwareWait.BUSY
            self._say(self._dialect.busy.format(why=why.value))
        self._plan_keepalive(block.wait)

    def _plan_keepalive(self, wait: FirmwareWait) -> None:
        pause_s = REPORT_S if wait is FirmwareWait.HEATING else self._habits.keepalive_s
        self._block_say_s = self._now_s + pause_s

    def _kill(self, *lines: str) -> None:
        """Everything off; only a reset helps (`kill()` in `MarlinCore.cpp`)."""
        self._machine.motion.stop(self._now_s)
        self._machine.switch_off(self._now_s)
        self._queue.clear()
        self._block = None
        self._state, self._state_ends_s = _State.KILLED, inf
        self._habits.stop_reports()
        self._say(*lines)

    # --- executing ---------------------------------------------------------------------------

    def _finish(self, *answer: str) -> None:
        """The command at the head of the queue is done."""
        done = self._queue[0]
        if self._dialect.acknowledge is Acknowledge.DONE:
            answer = (*answer, self._ok(done.line_number))
        self._end(*answer)

    def _end(self, *answer: str) -> None:
        done = self._queue.popleft()
        is_heated = self._block and self._block.wait is FirmwareWait.HEATING
        if is_heated or is_move(done.command) or done.command.startswith(("G28", "G29")):
            self._active_s = self._now_s
        self._block = None
        self._say(*answer)

    def _ok(self, number: int | None) -> str:
        ok = self._dialect.ok.format(number="" if number is None else number).rstrip()
        if self._setup.advanced_ok:
            ok += "" if number is None else f" N{number}"
            free = self._setup.command_slots - len(self._queue)
            ok += f" P{self._machine.motion.planner_free} B{free}"
        return ok

    def _execute(self, line: Executed) -> None:
        self._machine.motion.advance(self._now_s)
        code = _CODE.match(line.command)
        name = f"{code[1]}{int(code[2])}" if code and not code[3] else ""
        if name in _MOVES:
            self._execute_move(line)
            return
        self._effects.append(line)
        match self._commands.execute(name, line.command, self._now_s):
            case Done(lines=lines):
                self._finish(*lines)
            case Answered(line=answer):
                self._end(answer)
            case Waits() as waits:
                self._wait(waits)
            case Halts():
                self._kill(*self._dialect.killed)

    def _wait(self, waits: Waits) -> None:
        self._block = waits
        self._plan_keepalive(waits.wait)

    def _execute_move(self, line: Executed) -> None:
        motion = self._machine.motion
        motion.advance(self._now_s)
        if motion.is_full:
            self._wait(Waits(wait=FirmwareWait.PLANNER, until_s=motion.next_end_s))
            return
        is_dry = self._machine.is_too_cold_for(line.command, self._now_s)
        motion.plan(line.command, self._now_s, is_dry=is_dry)
        self._effects.append(line)
        self._finish(*(["echo: cold extrusion prevented"] if is_dry else []))

    def _say(self, *lines: str) -> None:
        if lines:
            text = "".join(f"{line}{self._dialect.line_end}" for line in lines)
            self._effects.append(Say(data=text.encode("latin-1", errors="replace")))
