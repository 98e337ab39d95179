"""`python -m printer_driver --port PORT --socket PATH --journal FILE`, or `… bundle …`."""

import argparse
import contextlib
import logging
import os
import sys
from pathlib import Path

from printer_driver.errors import PrinterError
from printer_driver.port.port_keeper import AUTO_BAUD
from printer_driver.port.ports import AUTO
from printer_driver.port.serial_log import Keep
from printer_driver.process import stream_options
from printer_driver.process.process import (
    PrinterProcess,
    Settings,
    ensure_standard_streams,
)
from printer_driver.virtual.virtual_options import (
    VIRTUAL,
    is_virtual,
)

EXIT_UNUSABLE = 2
SPEED_UP_MAX = 1e6
BAUD_MAX = 20_000_000
PRIORITY = -10
"""Nothing else on this computer holds a hot nozzle."""
SWITCH_INTERVAL_S = 0.0001
"""Python waits 5 ms for another thread, at every system call; an emergency stop has 5 in all."""


def _speed_up(text: str) -> float:
    value = float(text)
    if not 0 < value <= SPEED_UP_MAX:
        raise argparse.ArgumentTypeError(f"must be over 0 and at most {SPEED_UP_MAX:g}")
    return value


def _baud(text: str) -> int:
    if text == AUTO:
        return AUTO_BAUD
    value = int(text)
    if not 0 < value <= BAUD_MAX:
        raise argparse.ArgumentTypeError(f"must be over 0 and at most {BAUD_MAX}")
    return value


def parse_settings(arguments: list[str]) -> Settings:
    """The command line; ends the process with a usage message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m printer_driver", description="Stream g-code to one printer."
    )
    parser.add_argument(
        "--port", required=True, help=f"serial port, `{AUTO}` to find it, or `{VIRTUAL}[:…]`"
    )
    parser.add_argument("--socket", required=True, type=Path, help="Unix socket to listen on")
    parser.add_argument("--journal", required=True, type=Path, help="file that remembers prints")
    parser.add_argument(
        "--baud", type=_baud, default=115200, help=f"bits per second, or `{AUTO}` to find it"
    )
    parser.add_argument(
        "--serial-log",
        dest="keep",
        type=Keep,
        choices=list(Keep),
        default=Keep.TROUBLE,
        help="what of the talk with the printer is written beside the journal",
    )
    parser.add_argument("--speed-up", type=_speed_up, default=1.0, help="of the virtual printer")
    parser.add_argument("--record", type=Path, help="what the virtual printer executes")
    stream_options.add_arguments(parser)
    given = parser.parse_args(arguments)
    settings = Settings(
        port=given.port,
        socket=given.socket,
        journal=given.journal,
        baud=given.baud,
        speed_up=given.speed_up,
        record=given.record,
        keep=given.keep,
        stream=stream_options.settings_of(given),
    )
    if not is_virtual(settings.port) and (settings.record or settings.speed_up != 1.0):
        parser.error(f"--speed-up and --record are for --port {VIRTUAL}")
    return settings


def main() -> int:
    """Run the process; returns its exit code."""
    ensure_standard_streams()
    # A log nobody can read any more must not end a print.
    logging.raiseExceptions = False
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with contextlib.suppress(OSError):  # only root may, or whom systemd lets (LimitNICE=)
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    if sys.argv[1:2] == ["bundle"]:
        from printer_driver.process import bundle  # noqa: PLC0415 - half of the memory, and seldom used

        return bundle.main(sys.argv[2:])
    settings = parse_settings(sys.argv[1:])
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr
    )
    try:
        PrinterProcess(settings).run()
    except PrinterError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"The printer process cannot go on ({error}); check its files and disk.")
    return 0


def _refuse(sentence: str) -> int:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
    return EXIT_UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
