"""What a person may set about the streaming of one printer, as options of a command line."""

import argparse

from printer_driver.core.settings import Park, StreamSettings, ignored_lines

PARK_MM_MAX = 2000.0
ALONE_MIN = range(5, 241)
"""Minutes: a filament change by hand must fit in, and so must a host that restarts."""


def add_arguments(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Adds them to a command line; `settings_of` reads them."""
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="LINE", help="a g-code line not to send"
    )
    parser.add_argument(
        "--park", type=_park, metavar="X,Y[,LIFT]", help="where the head waits in a pause, in mm"
    )
    parser.add_argument(
        "--off-when-alone",
        type=_alone,
        metavar="MINUTES",
        help="the printer itself switches off, and must be reset, when nothing has moved for so"
        f" long in mid-print: its host is lost ({ALONE_MIN[0]} to {ALONE_MIN[-1]}; Marlin, Prusa"
        " and Repetier)",
    )


def settings_of(options: argparse.Namespace) -> StreamSettings:
    """What was given."""
    return StreamSettings(
        ignored=ignored_lines(options.ignore),
        park=options.park,
        alone_s=60 * (options.off_when_alone or 0),
    )


def arguments_of(settings: StreamSettings) -> list[str]:
    """The arguments that say the same."""
    arguments = [f"--ignore={line}" for line in sorted(settings.ignored)]
    if park := settings.park:
        arguments.append(f"--park={park.x:g},{park.y:g},{park.lift:g}")
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


def _alone(text: str) -> int:
    minutes = int(text)
    if minutes not in ALONE_MIN:
        raise argparse.ArgumentTypeError(f"must be {ALONE_MIN[0]} to {ALONE_MIN[-1]} minutes")
    return minutes
