"""A virtual Marlin 2.1 without a machine: it checks, queues, plans, heats and answers as one.

`receive` takes bytes, `tick` lets time pass, `effects` gives bytes to send and the commands
executed, `next_deadline_s` says when something will happen by itself. Rules of receiving are those
of `Marlin/src/gcode/queue.cpp`, `get_serial_commands`.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf

from printer_driver.core.gcode import WIRE_LINE_BYTES_MAX, checksum
from printer_driver.core.motion import Motion, words
from printer_driver.core.thermal import Heater

BUFSIZE = 4
RX_BYTES_MAX = 1024
"""RX_BUFFER_SIZE; what comes in faster than it is read is lost."""
KEEPALIVE_S = 2.0
REPORT_S = 1.0
HOMING_S = 8.0
PROBING_S = 20.0
AUTOREPORT_S_MAX = 60.0

NAME = "Marlin 2.1.2 (virtual)"
_INFO = (
    f"FIRMWARE_NAME:{NAME} SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 "
    "MACHINE_TYPE:Virtual printer EXTRUDER_COUNT:1\n"
    "Cap:AUTOREPORT_TEMP:1\nCap:EMERGENCY_PARSER:0\nCap:HOST_ACTION_COMMANDS:0\n"
)
_CODE = re.compile(r"([GMT])\s*(\d{1,4})(\.\d+)?")
_NUMBER = re.compile(rb"N\s*(-?\d{1,18})")
_CHECKSUM = re.compile(rb"\s*(-?\d{1,9})")
_SILENT = frozenset(
    {
        "G21",
        "G80",
        "M17",
        "M73",
        "M106",
        "M107",
        "M108",
        "M110",
        "M113",
        "M117",
        "M201",
        "M203",
        "M204",
        "M205",
        "M220",
        "M221",
        "M300",
        "M486",
        "M900",
        "M907",
        "T0",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    """Bytes for the host."""

    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Executed:
    """A command taken from the buffer, as it came, without number and checksum."""

    command: str
    line_number: int | None


class _Wait(Enum):
    BUSY = "busy"  # says `busy: processing`
    HEATING = "heating"  # says the temperatures; M108 ends it
    PLANNER = "planner"  # a move waits for a slot


@dataclass(frozen=True, kw_only=True, slots=True)
class _Block:
    """What keeps the firmware from its next command."""

    wait: _Wait
    until_s: float
    say_s: float


class Firmware:
    """`line_noise` alters the received bytes, for tests."""

    def __init__(self, *, line_noise: Callable[[bytes], bytes] = bytes) -> None:
        self._line_noise = line_noise
        self._effects: list[Say | Executed] = []
        self._now_s = 0.0
        self._boot()

    def _boot(self) -> None:
        self._rx = bytearray()
        self._last_number = 0
        self._queue: deque[Executed] = deque()
        self._block: _Block | None = None
        self._is_killed = False
        self._motion = Motion()
        self._blocked_move = ""
        self._nozzle = Heater(heating_c_per_s=5.0, cooling_c_per_s=1.0)
        self._bed = Heater(heating_c_per_s=2.0, cooling_c_per_s=0.3)
        self._autoreport_s = 0.0
        self._report_at_s = inf
        self._say("start", f"echo:{NAME}")

    def effects(self) -> list[Say | Executed]:
        """What was said and executed since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    def receive(self, data: bytes, now_s: float) -> None:
        """Bytes from the host."""
        self.tick(now_s)
        self._rx += self._line_noise(data)
        del self._rx[RX_BYTES_MAX:]
        self._work()
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
        due_s = self._report_at_s
        if self._block:
            due_s = min(due_s, self._block.until_s, self._block.say_s)
        return None if due_s == inf or self._is_killed else due_s

    # --- receiving ---------------------------------------------------------------------------

    def _work(self) -> None:
        """Read and execute as far as possible."""
        progress = True
        while progress and not self._is_killed:
            progress = self._read_line()
            if self._queue and self._block is None and not self._is_killed:
                self._execute(self._queue.popleft())
                progress = True

    def _read_line(self) -> bool:
        if len(self._queue) >= BUFSIZE:
            return False
        end = next((i for i, byte in enumerate(self._rx) if byte in b"\r\n"), -1)
        if end < 0:
            return False
        line = bytes(self._rx[:end].partition(b";")[0][:WIRE_LINE_BYTES_MAX]).lstrip(b" ")
        del self._rx[: end + 1]
        if line:
            self._take_line(line)
        return True

    def _take_line(self, line: bytes) -> None:
        if not line.startswith(b"N"):
            self._enqueue(line, None)
            return
        sets_number = b"M110" in line
        number = _parse_number(line, sets_number=sets_number)
        if number != self._last_number + 1 and not sets_number:
            # Marlin 2.1: a repeat of one of the last two lines is an echo of a resend.
            if self._last_number - 1 <= number <= self._last_number:
                return
            self._refuse("Line Number is not Last Line Number+1")
            return
        body, star, given = line.rpartition(b"*")
        if not star:
            self._refuse("No Checksum with line number")
        elif _parse_checksum(given) != checksum(body):
            self._refuse("checksum mismatch")
        else:
            self._last_number = number
            self._enqueue(body, number)

    def _refuse(self, error: str) -> None:
        self._rx.clear()
        self._say(
            f"Error:{error}, Last Line: {self._last_number}",
            f"Resend: {self._last_number + 1}",
            "ok",
        )

    def _enqueue(self, line: bytes, number: int | None) -> None:
        # The parser looks no further than the first asterisk (`GCodeParser::parse`).
        command = line.partition(b"*")[0].decode("latin-1").rstrip()
        if number is None:
            self._act_early(command)
        else:
            command = re.sub(r"^N\s*-?\d+\s*", "", command)
        self._queue.append(Executed(command=command, line_number=number))

    def _act_early(self, command: str) -> None:
        """Without EMERGENCY_PARSER, only lines without a number are looked at on receipt."""
        if command.startswith("M108") and self._block and self._block.wait is _Wait.HEATING:
            self._finish_block()
        elif command.startswith("M112"):
            self._kill()

    # --- time --------------------------------------------------------------------------------

    def _pass_time(self) -> None:
        if self._report_at_s <= self._now_s:
            self._report_at_s = self._now_s + self._autoreport_s
            self._say(self._temperatures())
        if self._block is None:
            return
        if self._block.until_s <= self._now_s:
            self._end_block(self._block)
        elif self._block.say_s <= self._now_s:
            self._keep_alive(self._block)

    def _keep_alive(self, block: _Block) -> None:
        if block.wait is _Wait.HEATING:
            self._say(self._temperatures() + " W:?")
            pause_s = REPORT_S
        else:
            self._say("echo:busy: processing")
            pause_s = KEEPALIVE_S
        self._block = _Block(wait=block.wait, until_s=block.until_s, say_s=self._now_s + pause_s)

    def _end_block(self, block: _Block) -> None:
        if block.wait is _Wait.PLANNER:
            self._block = None
            self._execute_move(self._blocked_move)
        else:
            self._finish_block()

    def _finish_block(self) -> None:
        self._block = None
        self._say("ok")

    def _wait_until(self, wait: _Wait, until_s: float) -> None:
        pause_s = REPORT_S if wait is _Wait.HEATING else KEEPALIVE_S
        self._block = _Block(wait=wait, until_s=until_s, say_s=self._now_s + pause_s)

    # --- executing ---------------------------------------------------------------------------

    def _execute(self, executed: Executed) -> None:
        self._effects.append(executed)
        self._motion.forget_finished(self._now_s)
        code = _CODE.match(executed.command)
        if code is None or code[3]:
            self._say_unknown(executed.command)
            return
        name = f"{code[1]}{int(code[2])}"
        if name in ("G0", "G1", "G2", "G3"):
            self._execute_move(executed.command)
        elif name[0] == "G":
            self._execute_g(name, executed.command)
        else:
            self._execute_m(name, executed.command)

    def _execute_move(self, command: str) -> None:
        self._motion.forget_finished(self._now_s)
        if self._motion.is_full:
            self._blocked_move = command
            self._wait_until(_Wait.PLANNER, self._motion.next_end_s)
            return
        self._motion.plan(command, self._now_s)
        self._say("ok")

    def _execute_g(self, name: str, command: str) -> None:
        idle_s = self._motion.last_end_s(self._now_s)
        match name:
            case "G4":
                given = words(command)
                dwell_s = max(0.0, given.get("S", given.get("P", 0.0) / 1000))
                self._wait_until(_Wait.BUSY, idle_s + dwell_s)
            case "G28":
                self._motion.home()
                self._wait_until(_Wait.BUSY, idle_s + HOMING_S)
            case "G29":
                self._wait_until(_Wait.BUSY, idle_s + PROBING_S)
            case "G90" | "G91":
                self._motion.set_mode(name)
                self._say("ok")
            case "G92":
                self._motion.set_position(command)
                self._say("ok")
            case _:
                self._finish_plainly(name, command)

    def _execute_m(self, name: str, command: str) -> None:
        match name:
            case "M104" | "M109" | "M140" | "M190":
                self._heat(name, command)
            case "M105":
                self._say("ok" + self._temperatures())
            case "M115":
                self._effects.append(Say(data=_INFO.encode("ascii")))
                self._say("ok")
            case "M155":
                self._autoreport_s = min(AUTOREPORT_S_MAX, max(0.0, words(command).get("S", 0.0)))
                is_on = self._autoreport_s >= 1
                self._report_at_s = self._now_s + self._autoreport_s if is_on else inf
                self._say("ok")
            case "M400" | "M84" | "M18":
                self._wait_until(_Wait.BUSY, self._motion.last_end_s(self._now_s))
            case "M82" | "M83":
                self._motion.set_mode(name)
                self._say("ok")
            case "M112":
                self._kill()
            case _:
                self._finish_plainly(name, command)

    def _heat(self, name: str, command: str) -> None:
        given = words(command)
        target_c = given.get("S", given.get("R"))
        is_nozzle = name in ("M104", "M109")
        heater = self._nozzle if is_nozzle else self._bed
        if target_c is not None:
            heater = heater.with_target(min(300.0, max(0.0, target_c)), self._now_s)
        if is_nozzle:
            self._nozzle = heater
        else:
            self._bed = heater
        if name in ("M109", "M190"):
            self._wait_until(_Wait.HEATING, heater.reached_s(also_cooling="R" in given))
        else:
            self._say("ok")

    def _finish_plainly(self, name: str, command: str) -> None:
        if name in _SILENT:
            self._say("ok")
        else:
            self._say_unknown(command)

    def _say_unknown(self, command: str) -> None:
        self._say(f'echo:Unknown command: "{command}"', "ok")

    def _kill(self) -> None:
        self._is_killed = True
        self._nozzle = self._nozzle.with_target(0, self._now_s)
        self._bed = self._bed.with_target(0, self._now_s)
        self._say("Error:Printer halted. kill() called!")

    def _temperatures(self) -> str:
        nozzle, bed = self._nozzle, self._bed
        return (
            f" T:{nozzle.at(self._now_s):.2f} /{nozzle.target_c:.2f}"
            f" B:{bed.at(self._now_s):.2f} /{bed.target_c:.2f} @:0 B@:0"
        )

    def _say(self, *lines: str) -> None:
        text = "".join(f"{line}\n" for line in lines)
        self._effects.append(Say(data=text.encode("latin-1", errors="replace")))


def _parse_number(line: bytes, *, sets_number: bool) -> int:
    """The number at the line's start; M110's own N counts instead. 0 where there are no digits."""
    numbers = _NUMBER.findall(line)
    if sets_number and len(numbers) > 1:
        return int(numbers[1])
    match = _NUMBER.match(line)
    return int(match[1]) if match else 0


def _parse_checksum(given: bytes) -> int:
    match = _CHECKSUM.match(given)
    return int(match[1]) if match else 0
