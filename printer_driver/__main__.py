"""`python -m printer_driver --port PORT --socket PATH --journal FILE`."""

import argparse
import contextlib
import logging
import sys
from pathlib import Path

from printer_driver.errors import PrinterError
from printer_driver.process import VIRTUAL, PrinterProcess, Settings, ensure_standard_streams

EXIT_UNUSABLE = 2
SPEED_UP_MAX = 1e6


def _speed_up(text: str) -> float:
    value = float(text)
    if not 0 < value <= SPEED_UP_MAX:
        raise argparse.ArgumentTypeError(f"must be over 0 and at most {SPEED_UP_MAX:g}")
    return value


def parse_settings(arguments: list[str]) -> Settings:
    """The command line; ends the process with a usage message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m printer_driver", description="Stream g-code to one printer."
    )
    parser.add_argument("--port", required=True, help=f"serial port, or `{VIRTUAL}`")
    parser.add_argument("--socket", required=True, type=Path, help="Unix socket to listen on")
    parser.add_argument("--journal", required=True, type=Path, help="file that remembers prints")
    parser.add_argument("--baud", type=int, default=115200)
    parser.add_argument("--speed-up", type=_speed_up, default=1.0, help="of the virtual printer")
    parser.add_argument("--record", type=Path, help="what the virtual printer executes")
    given = parser.parse_args(arguments)
    if given.port != VIRTUAL and (given.record or given.speed_up != 1.0):
        parser.error(f"--speed-up and --record are for --port {VIRTUAL}")
    return Settings(**vars(given))


def main() -> int:
    """Run the process; returns its exit code."""
    ensure_standard_streams()
    # A log nobody can read any more must not end a print.
    logging.raiseExceptions = False
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
