"""The arguments of every command, and how errors reach the person: one sentence, exit code 1."""

import argparse
import json
import sys
from collections.abc import Sequence

from crdtqueue import __version__
from crdtqueue.cli import (
    commands,
    job_commands,
    printer_commands,
    record_commands,
    serve,
)
from crdtqueue.cli.api_client import (
    default_url,
    printable,
)
from crdtqueue.core.errors import CrdtQueueError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 for an error, 2 for wrong usage."""
    options = make_parser().parse_args(arguments)
    try:
        options.run(options)
    except CrdtQueueError as error:
        _report(error, as_json=options.json)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # Whoever read us has gone; Python would complain once more at exit.
        return 1
    return 0


def _report(error: CrdtQueueError, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": {"code": error.code, "message": error.message}}))
    else:
        print(f"crdtqueue: {printable(error.message)}", file=sys.stderr)


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="crdtqueue", description="One print queue for all the 3D printers on a network."
    )
    parser.add_argument("--version", action="version", version=f"crdtqueue {__version__}")
    kinds = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON, for programs")
    asking = argparse.ArgumentParser(add_help=False, parents=[common])
    asking.add_argument(
        "--url",
        default=default_url(),
        help="the page of the peer to ask (CRDTQUEUE_URL; now %(default)s)",
    )
    serve.add_parser(kinds, common)
    _add_job_commands(kinds, asking)
    _add_printer_commands(kinds, asking)
    printer_commands.add_parsers(kinds, asking)
    _add_queue_commands(kinds, asking)
    return parser


_Kinds = argparse._SubParsersAction  # noqa: SLF001  # argparse gives it no public name


def _add_job_commands(
    kinds: "_Kinds[argparse.ArgumentParser]", asking: argparse.ArgumentParser
) -> None:
    add = kinds.add_parser(
        "add", parents=[asking], help="add g-code files as one job, or .gjob archives"
    )
    add.add_argument("files", nargs="+", metavar="FILE")
    add.add_argument("--copies", type=int, default=1, help="copies of each file (default 1)")
    add.add_argument("--runs", type=int, default=1, help="times the whole job (default 1)")
    add.add_argument(
        "--profile",
        action="append",
        default=[],
        help="the printer model that the files are for; may be given again; ANY for every printer"
        " (default: what the slicer wrote)",
    )
    add.add_argument("--queue", help="the queue (default: the only LAN queue, else local)")
    add.add_argument("--name", help="the job's name (default: that of the first file)")
    add.set_defaults(run=commands.add)
    listing = kinds.add_parser("ls", parents=[asking], help="list the jobs")
    listing.add_argument("--queue", help="only this queue")
    listing.set_defaults(run=commands.ls)
    listing.add_argument("--deleted", action="store_true", help="those that can be restored")
    _add_edit_commands(kinds, asking)
    _add_keeping_commands(kinds, asking)


def _add_edit_commands(
    kinds: "_Kinds[argparse.ArgumentParser]", asking: argparse.ArgumentParser
) -> None:
    found = {}
    for name, run, text in (
        ("rm", job_commands.rm, "delete jobs"),
        ("restore", job_commands.restore, "bring deleted jobs back"),
        ("hold", job_commands.hold, "hold jobs back"),
        ("release", job_commands.release, "let jobs that were held back go on"),
        ("edit", job_commands.edit, "change a job's name, note or number of runs"),
        ("again", job_commands.again, "print jobs again from the beginning"),
        ("lost", job_commands.lost, "give up printers that do not answer; look at them first"),
        ("mv", job_commands.mv, "move jobs within their queue or to another one"),
    ):
        found[name] = command = kinds.add_parser(name, parents=[asking], help=text)
        command.add_argument("jobs", nargs="+", metavar="JOB", help="its id, or the start of it")
        command.set_defaults(run=run)
    found["rm"].add_argument(
        "--after-copy", action="store_true", help="once the copy that is being printed is done"
    )
    found["edit"].add_argument("--name")
    found["edit"].add_argument("--runs", type=int, help="times the whole job")
    found["edit"].add_argument("--note", help="what people should know about it")
    found["mv"].add_argument("--to", metavar="QUEUE", help="the other queue")
    found["mv"].add_argument("--before", metavar="JOB", help="the job to put them ahead of")


def _add_keeping_commands(
    kinds: "_Kinds[argparse.ArgumentParser]", asking: argparse.ArgumentParser
) -> None:
    export = kinds.add_parser("export", parents=[asking], help="write a job with its files")
    export.add_argument("job", metavar="JOB", help="its id, or the start of it")
    export.add_argument("file", metavar="FILE.gjob")
    export.set_defaults(run=record_commands.export)
    history = kinds.add_parser("history", parents=[asking], help="show what was printed")
    for name, text in (
        ("--printer", "only by this printer"),
        ("--job", "only of this job"),
        ("--queue", "only from this queue"),
        ("--result", "only done, failed, cancelled or aborted ones"),
        ("--text", "only with this text in it"),
    ):
        history.add_argument(name, help=text)
    history.add_argument("--limit", type=int, default=20, help="so many (default %(default)s)")
    history.add_argument("--csv", action="store_true", help="all of it, for a spreadsheet")
    history.set_defaults(run=record_commands.history)


def _add_printer_commands(
    kinds: "_Kinds[argparse.ArgumentParser]", asking: argparse.ArgumentParser
) -> None:
    for name, run, text in (
        ("status", commands.status, "show this peer and its printer"),
        ("peers", commands.peers, "list the peers of each queue"),
        ("clear", commands.clear, "say that the bed is clear"),
        ("pause", commands.pause, "pause the print"),
        ("resume", commands.resume, "go on with the print"),
        ("cancel", commands.cancel, "give the print up and switch the heaters off"),
        ("start", commands.start, "let the queues use the printer"),
        ("stop", commands.stop, "take no more jobs; a running print goes on"),
        ("accept-damage", commands.accept_damage, "go on after the store was damaged"),
    ):
        command = kinds.add_parser(name, parents=[asking], help=text)
        command.set_defaults(run=run)


def _add_queue_commands(
    kinds: "_Kinds[argparse.ArgumentParser]", asking: argparse.ArgumentParser
) -> None:
    join = kinds.add_parser("join", parents=[asking], help="make a LAN queue, or join it")
    join.add_argument("name")
    join.add_argument("--peer", action="append", default=[], metavar="HOST:PORT")
    join.set_defaults(run=commands.join)
    leave = kinds.add_parser("leave", parents=[asking], help="leave a LAN queue")
    leave.add_argument("name")
    leave.set_defaults(run=commands.leave)
