"""What a broken or hostile printer may say: seeded, endless, in every dialect and in none."""

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from printer_driver.core.replies.reported_state import (
    BED_CLEAR_SPELLINGS,
    HostAction,
)
from printer_driver.virtual.virtual_dialects import DIALECTS

MIB = 1 << 20
FLOOD_BYTES = 10 * MIB
CHUNK_BYTES = MIB // 16
PLACEHOLDER = re.compile(r"\{\w+[^}]*\}")
ABSURD = ("0", "-1", "99999999999", "1e308", "nan", "-inf", "", "4294967296", "0.0000001", "٣")
FAULTS = (
    b"Error:Probing Failed",
    b"Error:Thermal Runaway, system stopped! Heater_ID: 0",
    b"Error:checksum mismatch, Last Line: 99999999999",
    b"Error:Line Number is not Last Line Number+1, Last Line: 0",
    b"Error:No Checksum with line number",
    b"!! kill",
    b"!!",
    b"ALARM: Hard limit +X",
    b"TM: error triggered!",
    b"// Klipper state: Shutdown",
    b"Printer stopped due to errors. Fix the error and use M999",
    b"echo: cold extrusion prevented",
    b'echo:Unknown command: "' + b"G" * 900,
)
BOOTS = (b"start", b"\xfestart", b"Smoothie", b"PowerUp", b"echo:Marlin 2.1.2", b"External Reset")
GRAVE = (b"!!", b"ALARM", b"Error", b"HALT", b"M999", b"stopped", b"Stop", b"fatal", b"Klipper s")
PROMPTS = ("prompt_begin", "prompt_button", "prompt_choice", "prompt_show", "prompt_end")


@dataclass(frozen=True, kw_only=True, slots=True)
class Malice:
    """What a source does."""

    forges: bool
    """It tells cold heaters where a proof is waited for, which no host can see through."""
    stops: bool
    """It says things that end prints and halt printers; else they last longer."""
    floods: bool
    """It says 10 MiB without a line end."""


class Sayings:
    """Bursts of bytes, drawn from `chance`."""

    def __init__(self, malice: Malice, chance: random.Random) -> None:
        self._malice = malice
        self._chance = chance
        self._texts = [x for x in _dialect_texts() if malice.stops or not _is_grave(x)]
        self._kinds: list[Callable[[int], bytes]] = [
            self._noise,
            self._nuls,
            self._resends,
            self._oks,
            self._strange_oks,
            self._half_lines,
            self._dialects,
            self._signs_of_life,
            self._temperatures,
            self._positions,
            self._actions,
            self._abilities,
        ]
        if malice.stops:
            self._kinds.append(self._ends)

    def burst(self, last_number: int) -> Iterable[bytes]:
        """The chunks of one burst; `last_number` is the host's newest line."""
        if self._malice.floods and self._chance.random() < 0.02:
            return self._flood()
        data = self._chance.choice(self._kinds)(last_number)
        return (data,)

    def _flood(self) -> Iterable[bytes]:
        if self._chance.random() < 0.2:
            return (b"x" * FLOOD_BYTES,)
        chunk = self._chance.choice((b"x", b"ok ", b"\0", b"T:2 ", b"Resend: 1")) * CHUNK_BYTES
        return (chunk[:CHUNK_BYTES] for _ in range(FLOOD_BYTES // CHUNK_BYTES))

    # --- one burst each ----------------------------------------------------------------------

    def _noise(self, _: int) -> bytes:
        return self._chance.randbytes(self._chance.randrange(1, 400))

    def _nuls(self, _: int) -> bytes:
        return b"\0" * self._chance.randrange(1, 2000) + self._chance.choice((b"", b"\n"))

    def _resends(self, last_number: int) -> bytes:
        near = last_number + self._chance.randrange(-6, 4)
        old = last_number - self._chance.randrange(300)
        number = self._chance.choice((near, near, old, -1, 0, 1, 2**31, 10**9, 10**15, -(10**9)))
        form = self._chance.choice(
            (b"Resend: %d\nok\n", b"rs N%d\n", b"Resend:%d\n", b"rs %d\nok\n")
        )
        return (form % number) * self._chance.choice((1, 1, 1, 2, 7, 60))

    def _oks(self, _: int) -> bytes:
        return b"ok\n" * self._chance.choice((1, 1, 1, 2, 5, 30, 3000))

    def _strange_oks(self, last_number: int) -> bytes:
        number = last_number + self._chance.randrange(-8, 8)
        some = (
            b"ok N%d P15 B3\n" % number,
            b"ok N%d P9999 B9999\n" % number,
            b"ok N-1 P-1 B-1\n",
            b"ok N99999999999 P0 B0\n",
            b"ok %d\n" % number,
            b"ok P0 B0\n",
            b"ok ok ok\n",
            b"OK\n",
            b"okay\n",
            b"ok C: X:1e9 Y:nan Z:1 E:1\n",
            b"ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v9\n",
        )
        return self._chance.choice(some) * self._chance.choice((1, 1, 3, 40))

    def _half_lines(self, last_number: int) -> bytes:
        kind = self._chance.choice(self._kinds[2:5] + self._kinds[6:12])
        whole = kind(last_number)[:300]
        return whole[self._chance.randrange(3) : self._chance.randrange(len(whole) + 1)]

    def _dialects(self, _: int) -> bytes:
        count = self._chance.randrange(1, 6)
        return b"".join(
            self._filled(self._chance.choice(self._texts)) + self._chance.choice((b"\n", b"\r\n"))
            for _ in range(count)
        )

    def _signs_of_life(self, _: int) -> bytes:
        some = (b"wait\n", b"echo:busy: processing\n", b"busy:\n", b"echo:busy: paused for user\n")
        boots = tuple(boot + b"\n" for boot in BOOTS) if self._malice.stops else ()
        return self._chance.choice((*some, *boots)) * self._chance.choice((1, 1, 2, 50))

    def _temperatures(self, _: int) -> bytes:
        names = ("T", "T0", "B", "C", *(f"T{number}" for number in range(500)))
        heaters = [
            f"{name}:{self._number()} /{self._target()}"
            for name in names[: self._chance.choice((2, 3, 4, 30, 504))]
        ]
        head = self._chance.choice(("ok ", "", " ")) if self._malice.forges else " "
        return (
            head + " ".join(heaters) + self._chance.choice(("", " W:?", " @:0"))
        ).encode() + b"\n"

    def _positions(self, _: int) -> bytes:
        axes = " ".join(f"{axis}:{self._number()}" for axis in "XYZE")
        return f"{axes} Count X:{self._number()}\n".encode() * self._chance.choice((1, 2, 30))

    def _actions(self, _: int) -> bytes:
        names = (*(wish.value for wish in HostAction), *BED_CLEAR_SPELLINGS, *PROMPTS, "prompt_")
        if not self._malice.stops:
            names = tuple(set(names) - {"cancel", "disconnect", "poweroff"})
        slash = self._chance.choice(("//", "// "))
        return b"".join(
            f"{slash}action:{self._chance.choice(sorted(names))} {'ä' * length}\n".encode()
            for length in self._chance.choices(
                (0, 1, 20, 400), k=self._chance.choice((1, 1, 3, 99))
            )
        )

    def _abilities(self, _: int) -> bytes:
        some = ("AUTOREPORT_TEMP", "EMERGENCY_PARSER", "X" * self._chance.randrange(1, 40))
        is_on = self._chance.randrange(2)
        lines = "".join(f"Cap:{name}:{is_on}\n" for name in some)
        return lines.encode() * self._chance.choice((1, 1, 40))

    def _ends(self, _: int) -> bytes:
        return self._chance.choice((*FAULTS, *BOOTS)) + b"\n"

    # --- values ------------------------------------------------------------------------------

    def _number(self) -> str:
        if self._chance.random() < 0.3:
            return self._chance.choice(ABSURD)
        return f"{self._chance.uniform(-400, 400):.{self._chance.randrange(4)}f}"

    def _target(self) -> str:
        if self._malice.forges:
            return self._chance.choice(("0", "0.00", self._number()))
        return f"{self._chance.uniform(1, 400):.1f}"

    def _filled(self, text: str) -> bytes:
        filled = PLACEHOLDER.sub(lambda _: self._target(), text)
        return filled.encode("latin-1", errors="replace")


def _dialect_texts() -> list[str]:
    """Every text of the virtual firmwares' table, line by line."""
    texts = []
    for dialect in DIALECTS.values():
        for field in fields(dialect):
            value = getattr(dialect, field.name)
            if field.name in ("name", "line_end", "leaves_kill"):
                continue
            parts = value if isinstance(value, tuple) else (value,)
            texts += [line for part in parts if isinstance(part, str) for line in part.splitlines()]
    return sorted(set(filter(None, texts)))


def _is_grave(text: str) -> bool:
    data = text.encode("latin-1", errors="replace")
    return any(mark in data for mark in (*GRAVE, *BOOTS, b"RepRapFirmware for"))
