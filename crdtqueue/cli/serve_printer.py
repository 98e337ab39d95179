"""The options of `crdtqueue serve` that say how its printer is used."""

import argparse
from pathlib import Path

from crdtqueue.cli.printer_commands import read_script
from crdtqueue.core.document.profiles import parse_profile
from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.bed import (
    COOL_BED_C_MAX,
    COOL_S_MAX,
    Cooldown,
)
from crdtqueue.core.worker.script_check import check_commands
from crdtqueue.core.worker.scripts import (
    SCRIPT_STEPS,
    CycleStep,
)
from crdtqueue.core.worker.worker_events import (
    RETRIES_MAX,
    WorkerConfig,
)
from crdtqueue.peer.script_store import (
    check_script,
    event_named,
)


def add_arguments(printer: "argparse._ArgumentGroup") -> None:
    """Adds the arguments to those of the printer."""
    printer.add_argument(
        "--self-clearing", action="store_true", help="it clears its own bed after a print"
    )
    printer.add_argument(
        "--retries",
        type=int,
        default=RETRIES_MAX,
        help="how often a job that has failed is printed again before it is paused"
        " (0 to %(default)s, default %(default)s)",
    )
    printer.add_argument(
        "--cool-bed-c",
        type=float,
        metavar="°C",
        help="after a print wait until the bed is this cool, before it is cleared",
    )
    printer.add_argument(
        "--cool-max-s",
        type=float,
        default=3600.0,
        metavar="S",
        help="but not longer than this (default: %(default)g)",
    )
    printer.add_argument(
        "--script",
        action="append",
        default=[],
        metavar="EVENT=FILE",
        help=f"g-code to run on an event ({', '.join(SCRIPT_STEPS)}); may be given again. It is"
        " remembered; 'crdtqueue script' changes it",
    )


def worker_of(options: argparse.Namespace) -> WorkerConfig:
    """How the printer is used. Raises Invalid."""
    if not 0 <= options.retries <= RETRIES_MAX:
        raise Invalid(f"--retries must be a number from 0 to {RETRIES_MAX}.")
    return WorkerConfig(
        profile=parse_profile(options.profile),
        self_clearing=options.self_clearing,
        retries=options.retries,
        cooldown=_cooldown_of(options),
    )


def _cooldown_of(options: argparse.Namespace) -> Cooldown | None:
    if not 0 < options.cool_max_s <= COOL_S_MAX:
        raise Invalid(f"--cool-max-s must be a number of seconds up to {COOL_S_MAX:g}.")
    if options.cool_bed_c is None:
        return None
    if not 0 < options.cool_bed_c <= COOL_BED_C_MAX:
        raise Invalid(f"--cool-bed-c must be a temperature from 1 to {COOL_BED_C_MAX:g} °C.")
    return Cooldown(bed_c=options.cool_bed_c, max_s=options.cool_max_s)


def scripts_of(options: argparse.Namespace) -> dict[CycleStep, str | None]:
    """The scripts that are to be set. Raises Invalid."""
    found: dict[CycleStep, str | None] = {}
    for given in options.script:
        name, _, path = given.partition("=")
        if not path:
            raise Invalid(f"--script {given[:60]} names no file. Give it like EVENT=FILE.")
        step = event_named(name.strip())
        found[step] = text = read_script(Path(path))
        check_script(step, text)
        check_commands(step, text)
    return found
