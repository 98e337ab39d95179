"""The settings for streaming, as options of a command line."""

import argparse
from collections.abc import Callable

from printer_driver.core.gcode.gcode_lines import command_of
from printer_driver.core.replies.dialects import BUFSIZE, RX_BYTES
from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
    ignored_lines,
)
from printer_driver.core.streaming.window import LINES_MAX
from printer_driver.errors import GcodeError

PARK_MM_MAX = 2000.0
BUFSIZES = range(BUFSIZE, LINES_MAX + 2)
RX_SIZES = range(RX_BYTES, 16_385)
ALONE_MIN = range(5, 241)
"""Minutes: a filament change by hand must fit in, and so must a host that restarts."""


def add_arguments(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Adds the options to a command line; `settings_of` reads them."""
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="LINE", help="a g-code line not to send"
    )
    parser.add_argument(
        "--park", type=_park, metavar="X,Y[,LIFT]", help="where the head waits in a pause, in mm"
    )
    parser.add_argument(
        "--on-cancel",
        type=_command,
        action="append",
        metavar="LINE",
        help="a g-code line for after a cancel, when the heaters are off; may be given again"
        f" (default: {', '.join(StreamSettings().cancel_script)})",
    )
    parser.add_argument(
        "--bufsize",
        type=_within(BUFSIZES),
        metavar="LINES",
        help=f"command slots of the firmware, if it has more than {BUFSIZE} (Marlin: BUFSIZE)",
    )
    parser.add_argument(
        "--rx-bytes",
        type=_within(RX_SIZES),
        metavar="BYTES",
        help=f"its serial buffer, if it has more than {RX_BYTES} (Marlin: RX_BUFFER_SIZE)",
    )
    parser.add_argument(
        "--compact", action="store_true", help="leave out blanks and zeros that say nothing"
    )
    parser.add_argument(
        "--off-when-alone",
        type=_within(ALONE_MIN),
        metavar="MINUTES",
        help="the printer itself switches off, and must be reset, when nothing has moved for so"
        f" long in mid-print: its host is lost ({ALONE_MIN[0]} to {ALONE_MIN[-1]}; Marlin, Prusa"
        " and Repetier)",
    )


def settings_of(options: argparse.Namespace) -> StreamSettings:
    """The settings that the options say."""
    defaults = StreamSettings()
    return StreamSettings(
        cancel_script=tuple(options.on_cancel or defaults.cancel_script),
        bufsize=options.bufsize,
        rx_bytes=options.rx_bytes,
        compacts=options.compact,
        ignored=ignored_lines(options.ignore),
        park=options.park,
        alone_s=60 * (options.off_when_alone or 0),
    )


def arguments_of(settings: StreamSettings) -> list[str]:
    """The options that say these settings."""
    arguments = [f"--ignore={line}" for line in sorted(settings.ignored)]
    if settings.cancel_script != StreamSettings().cancel_script:
        arguments += [f"--on-cancel={line}" for line in settings.cancel_script]
    if park := settings.park:
        arguments.append(f"--park={park.x:g},{park.y:g},{park.lift:g}")
    if settings.bufsize:
        arguments.append(f"--bufsize={settings.bufsize}")
    if settings.rx_bytes:
        arguments.append(f"--rx-bytes={settings.rx_bytes}")
    if settings.compacts:
        arguments.append("--compact")
    if settings.alone_s:
        arguments.append(f"--off-when-alone={settings.alone_s // 60}")
    return arguments


def _park(text: str) -> Park:
    numbers = [float(word) for word in text.split(",")]
    if not all(abs(number) <= PARK_MM_MAX for number in numbers):
        raise argparse.ArgumentTypeError(f"must be at most {PARK_MM_MAX:g} mm")
    match numbers:
        case [x, y]:
            return Park(x=x, y=y)
        case [x, y, lift] if lift >= 0:
            return Park(x=x, y=y, lift=lift)
        case _:
            raise argparse.ArgumentTypeError("must be X,Y or X,Y,LIFT")


def _command(text: str) -> str:
    try:
        command = command_of(text.encode())
    except GcodeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not command:
        raise argparse.ArgumentTypeError(f"{text!r} is no command")
    return command


def _within(allowed: range) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value not in allowed:
            raise argparse.ArgumentTypeError(f"must be {allowed[0]} to {allowed[-1]}")
        return value

    return number
