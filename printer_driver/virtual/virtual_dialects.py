"""How firmwares differ, as a table: what they say, their buffers and their build options.

The texts are those of the firmwares: Marlin `language.h` and `queue.cpp`, Prusa-Firmware
`cmdqueue.cpp` and `messages.cpp`, Repetier `gcode.cpp` and `Communication.cpp`, Smoothieware
`GcodeDispatch.cpp` and `TemperatureControl.cpp`, RepRapFirmware `GCodes.cpp`
(`HandleReplyPreserveResult`), Klipper `gcode.py` and `extras/heaters.py`. `{placeholders}` are
filled in by the firmware.
"""

from dataclasses import dataclass
from enum import Enum

from printer_driver.virtual.motion import BLOCK_SLOTS


class Repeat(Enum):
    """What the firmware does with a numbered line that it has already taken."""

    DROPPED = "dropped"
    """Not a word, if it is one of the last two (Marlin since the end of 2022)."""
    REFUSED = "refused"
    SKIPPED = "skipped"
    """`skip N` and `ok` (Repetier)."""


class Acknowledge(Enum):
    """The meaning of `ok`."""

    DONE = "executed or planned"
    RECEIVED = "received"


@dataclass(frozen=True, kw_only=True, slots=True)
class VirtualDialect:
    """What one firmware says, and how."""

    name: str
    banner: tuple[str, ...]
    information: str
    """The reply to M115."""
    line_end: str = "\n"
    acknowledge: Acknowledge = Acknowledge.DONE
    ok: str = "ok"
    ok_temperatures: str = "ok {temperatures}"
    """The reply to M105."""
    temperatures: str = "T:{nozzle:.2f} /{nozzle_target:.2f} B:{bed:.2f} /{bed_target:.2f} @:0 B@:0"
    heating: str = " {temperatures} W:{wait}"
    checks_lines: bool = True
    repeat: Repeat = Repeat.REFUSED
    refused: tuple[str, ...] = ("Error:{error}, Last Line: {last}", "Resend: {next}", "ok")
    wrong_number: str = "Line Number is not Last Line Number+1"
    wrong_checksum: str = "checksum mismatch"
    no_checksum: str = "No Checksum with line number"
    answers_empty_lines: bool = False
    unknown: str = 'echo:Unknown command: "{command}"'
    busy: str = "echo:busy: {why}"
    """Empty: it is silent while it works."""
    wait: str = ""
    """Said every second while nothing comes; empty: never."""
    answers_in_ok: frozenset[str] = frozenset()
    """Of M114 and M115, those whose answer stands behind `ok`."""
    position: str = "X:{x:.2f} Y:{y:.2f} Z:{z:.2f} E:{e:.2f} Count X:{sx} Y:{sy} Z:{sz}"
    alarm: str = "Error:{why}, system stopped! Heater_ID: {heater}"
    killed: tuple[str, ...] = ("Error:Printer halted. kill() called!",)
    answer_when_killed: str = ""
    """To every line after a kill; empty: silence until a reset."""
    leaves_kill: str = ""
    """The command that ends it; empty: only a reset does."""


MARLIN_2 = VirtualDialect(
    name="marlin",
    banner=("start", "echo:Marlin 2.1.2 (virtual)"),
    information=(
        "FIRMWARE_NAME:Marlin 2.1.2 (virtual) SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin "
        "PROTOCOL_VERSION:1.0 MACHINE_TYPE:Virtual printer EXTRUDER_COUNT:1\n"
        "Cap:SERIAL_XON_XOFF:0\nCap:AUTOREPORT_TEMP:1\nCap:EMERGENCY_PARSER:{emergency}\n"
        "Cap:HOST_ACTION_COMMANDS:1\nCap:PROMPT_SUPPORT:0\nCap:AUTOREPORT_POS:0"
    ),
    repeat=Repeat.DROPPED,
)
MARLIN_1 = VirtualDialect(
    name="marlin1",
    banner=("start", "echo:Marlin 1.1.9 (virtual)"),
    information=(
        "FIRMWARE_NAME:Marlin 1.1.9 (Github) SOURCE_CODE_URL:https://github.com/MarlinFirmware/"
        "Marlin PROTOCOL_VERSION:1.0 MACHINE_TYPE:Virtual printer EXTRUDER_COUNT:1\n"
        "Cap:AUTOREPORT_TEMP:1\nCap:EMERGENCY_PARSER:{emergency}"
    ),
)
PRUSA = VirtualDialect(
    name="prusa",
    banner=("start", "echo: 3.13.3-7094 (virtual)", "echo: Last Updated: Feb 27 2024 12:00:00"),
    information=(
        "FIRMWARE_NAME:Prusa-Firmware 3.13.3 based on Marlin "
        "FIRMWARE_URL:https://github.com/prusa3d/Prusa-Firmware PROTOCOL_VERSION:1.0 "
        "MACHINE_TYPE:Prusa i3 MK3S EXTRUDER_COUNT:1 "
        "UUID:00000000-0000-0000-0000-000000000000\n"
        "Cap:AUTOREPORT_TEMP:1\nCap:AUTOREPORT_FANS:1\nCap:AUTOREPORT_POSITION:1\n"
        "Cap:EXTENDED_M20:1\nCap:EMERGENCY_PARSER:{emergency}"
    ),
    temperatures=(
        "T:{nozzle:.1f} /{nozzle_target:.1f} B:{bed:.1f} /{bed_target:.1f} "
        "T0:{nozzle:.1f} /{nozzle_target:.1f} @:0 B@:0 P:0.0 A:25.0"
    ),
    heating="T:{nozzle:.1f} E:0 W:{wait}",
    unknown="Unknown {letter} code: {command}",
    alarm="Error: {heater}: {why}. Heaters switched OFF.",
)
REPETIER = VirtualDialect(
    name="repetier",
    banner=("start", "Info:PowerUp", "Free RAM:4000", "Autoretract:0"),
    information=(
        "FIRMWARE_NAME:Repetier_1.0.4 COMPILED:Virtual FIRMWARE_URL:https://github.com/repetier/"
        "Repetier-Firmware/ PROTOCOL_VERSION:1.0 MACHINE_TYPE:Virtual EXTRUDER_COUNT:1 "
        "REPETIER_PROTOCOL:3\nCap:PROGRESS:0\nCap:AUTOREPORT_TEMP:1\n"
        "Cap:EMERGENCY_PARSER:{emergency}"
    ),
    line_end="\r\n",
    acknowledge=Acknowledge.RECEIVED,
    ok="ok {number}",
    ok_temperatures="{temperatures}",
    temperatures="T:{nozzle:.2f} /{nozzle_target:.0f} B:{bed:.2f} /{bed_target:.0f} B@:0 @:0",
    repeat=Repeat.SKIPPED,
    refused=("Error:{error}", "", "Resend:{next}", "ok"),
    wrong_number="expected line {next} got {number}",
    wrong_checksum="Wrong checksum",
    no_checksum="Missing checksum",
    unknown="Unknown command:{command}",
    busy="busy:{why}",
    wait="wait",
    position="X:{x:.2f} Y:{y:.2f} Z:{z:.3f} E:{e:.4f}",
    alarm=(
        "fatal:{why} ({heater}) - Printer stopped and heaters disabled due to this error. "
        "Fix error and restart with M999."
    ),
    killed=(),  # `emergencyStop()` ends in a loop without a word, or resets the board
)
SMOOTHIE = VirtualDialect(
    name="smoothie",
    banner=("Smoothie", "ok"),
    information=(
        "FIRMWARE_NAME:Smoothieware, FIRMWARE_URL:http%3A//smoothieware.org, "
        "X-SOURCE_CODE_URL:https://github.com/Smoothieware/Smoothieware, "
        "FIRMWARE_VERSION:edge-virtual, X-FIRMWARE_BUILD_DATE:Jan  1 2024, X-SYSTEM_CLOCK:120MHz, "
        "X-AXES:5, X-GRBL_MODE:0, X-CNC:0, X-MSD:1"
    ),
    line_end="\r\n",
    temperatures="T:{nozzle:.1f} /{nozzle_target:.1f} @0 B:{bed:.1f} /{bed_target:.1f} @0",
    heating="{temperatures}",
    refused=("rs N{next}",),
    answers_empty_lines=True,
    unknown="",
    busy="",
    answers_in_ok=frozenset({"M114"}),
    position="C: X:{x:.4f} Y:{y:.4f} Z:{z:.4f} E:{e:.4f}",
    alarm="ERROR: {why} on {heater} - reset or M999 required",
    killed=("ok Emergency Stop Requested - reset or M999 required to exit HALT state",),
    answer_when_killed="!!",
    leaves_kill="M999",
)
REPRAPFIRMWARE = VirtualDialect(
    name="reprapfirmware",
    banner=("RepRapFirmware for Duet 2 WiFi/Ethernet is up and running.",),
    information=(
        "FIRMWARE_NAME: RepRapFirmware for Duet 2 WiFi/Ethernet FIRMWARE_VERSION: 3.4.5 "
        "ELECTRONICS: Duet WiFi 1.02 FIRMWARE_DATE: 2022-11-30"
    ),
    temperatures=(
        "T:{nozzle:.1f} /{nozzle_target:.1f} T0:{nozzle:.1f} /{nozzle_target:.1f} "
        "B:{bed:.1f} /{bed_target:.1f}"
    ),
    heating="{temperatures}",
    checks_lines=False,  # it does, but drops a bad one without a word; numbers it does not check
    unknown="Error: Bad command: {command}",
    busy="",
    position="X:{x:.3f} Y:{y:.3f} Z:{z:.3f} E:{e:.3f} E0:{e:.1f} Count {sx} {sy} {sz}",
    alarm="Error: Heater {heater} fault: {why}",
    killed=("Emergency Stop! Reset the controller to continue.",),
)
KLIPPER = VirtualDialect(
    name="klipper",
    banner=(),
    information="FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12.0-virtual",
    temperatures="B:{bed:.1f} /{bed_target:.1f} T0:{nozzle:.1f} /{nozzle_target:.1f}",
    heating="{temperatures}",
    checks_lines=False,
    answers_empty_lines=True,
    unknown='// Unknown command:"{command}"',
    busy="",
    answers_in_ok=frozenset({"M115"}),
    position="X:{x:.3f} Y:{y:.3f} Z:{z:.3f} E:{e:.3f}",
    alarm="!! Heater {heater} not heating at expected rate ({why})",
    killed=("// Klipper state: Shutdown", "ok"),
    answer_when_killed="!! Shutdown due to M112 command\nok",
    leaves_kill="FIRMWARE_RESTART",
)

DIALECTS = {
    dialect.name: dialect
    for dialect in (MARLIN_2, MARLIN_1, PRUSA, REPETIER, SMOOTHIE, REPRAPFIRMWARE, KLIPPER)
}


BUFSIZE = 4
"""Command slots; the command being executed keeps its own."""
RX_BYTES = 1024
"""RX_BUFFER_SIZE; what comes in faster than it is read is lost. 128 on an AVR."""
BOOT_S = 1.0
"""From a reset to the banner, a bootloader's wait; nothing is heard meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FirmwareSetup:
    """Marlin's names: BUFSIZE, RX_BUFFER_SIZE, BLOCK_BUFFER_SIZE, ADVANCED_OK, EMERGENCY_PARSER."""

    dialect: VirtualDialect = MARLIN_2
    command_slots: int = BUFSIZE
    rx_bytes: int = RX_BYTES
    block_slots: int = BLOCK_SLOTS
    advanced_ok: bool = False
    emergency_parser: bool = False
    extrude_min_c: float | None = None
    """Colder than this no filament is fed (170 as Marlin comes); None: not checked."""
    residency_s: float = 0.0
    """How long M109 and M190 hold the temperature before they are done (10 as Marlin comes)."""
    boot_s: float = BOOT_S
