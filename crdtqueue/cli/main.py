"""The commands, and how errors reach the person: one sentence, exit code 1."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from crdtqueue import __version__
from crdtqueue.cli.output import printable
from crdtqueue.core.errors import CrdtQueueError


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command. Its module is loaded when the command is called, so that no command pays for
    the libraries of another.

    `run` and `arguments` name functions of the module; the second adds the arguments to the parser.
    """

    name: str
    help: str
    module: str
    run: str
    arguments: str = ""
    asks_a_peer: bool = True


def _command(name: str, module: str, run: str, help_: str, arguments: str = "") -> Command:
    return Command(name=name, help=help_, module=module, run=run, arguments=arguments)


COMMANDS = (
    Command(
        name="serve",
        help="run a peer",
        module="serve",
        run="serve",
        arguments="add_arguments",
        asks_a_peer=False,
    ),
    _command(
        "add",
        "add_command",
        "add",
        "add g-code files as one job, or .gjob archives",
        "add_arguments",
    ),
    _command("ls", "list_commands", "ls", "list the jobs", "add_ls_arguments"),
    _command("rm", "job_commands", "rm", "delete jobs", "add_rm_arguments"),
    _command("restore", "job_commands", "restore", "bring deleted jobs back", "add_jobs_argument"),
    _command(
        "pause", "printer_commands", "pause", "pause jobs, or the print", "add_pause_arguments"
    ),
    _command(
        "resume",
        "printer_commands",
        "resume",
        "let paused jobs, or the paused print, go on",
        "add_pause_arguments",
    ),
    _command(
        "edit",
        "job_commands",
        "edit",
        "change a job's name, note or number of runs",
        "add_edit_arguments",
    ),
    _command(
        "print-again",
        "job_commands",
        "print_again",
        "print jobs again from the beginning",
        "add_jobs_argument",
    ),
    _command(
        "lost",
        "job_commands",
        "lost",
        "give up printers that do not answer; look at them first",
        "add_jobs_argument",
    ),
    _command(
        "mv",
        "job_commands",
        "mv",
        "move jobs within their queue or to another one",
        "add_mv_arguments",
    ),
    _command(
        "export", "job_commands", "export", "write a job with its files", "add_export_arguments"
    ),
    _command("history", "history_commands", "history", "show what was printed", "add_arguments"),
    _command("status", "list_commands", "status", "show this peer and its printer"),
    _command(
        "bundle",
        "bundle_command",
        "bundle",
        "write one file for a bug report, without secrets",
        "add_arguments",
    ),
    _command("peers", "list_commands", "peers", "list the peers of each queue"),
    _command("clear", "printer_commands", "clear", "say that the bed is clear"),
    _command(
        "cancel", "printer_commands", "cancel", "give the print up and switch the heaters off"
    ),
    _command(
        "printer",
        "printer_commands",
        "printer_command",
        "restart the process that drives the printer, between two prints",
        "add_printer_arguments",
    ),
    _command("start", "printer_commands", "start", "let the queues use the printer"),
    _command("stop", "printer_commands", "stop", "take no more jobs; a running print goes on"),
    _command(
        "accept-damage", "printer_commands", "accept_damage", "go on after the store was damaged"
    ),
    _command(
        "script",
        "printer_commands",
        "script_command",
        "run g-code on an event, or list the scripts",
        "add_script_arguments",
    ),
    _command(
        "loaded",
        "printer_commands",
        "loaded_command",
        "say which material is loaded, tool by tool",
        "add_loaded_arguments",
    ),
    _command(
        "join", "queue_commands", "join", "make a LAN queue, or join it", "add_join_arguments"
    ),
    _command("leave", "queue_commands", "leave", "leave a LAN queue", "add_leave_arguments"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 for an error, 2 for wrong usage."""
    given = sys.argv[1:] if arguments is None else arguments
    options = make_parser(given).parse_args(given)
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


def make_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows every command, and the arguments of the one that is called."""
    parser = argparse.ArgumentParser(
        prog="crdtqueue", description="One print queue for all the 3D printers on a network."
    )
    parser.add_argument("--version", action="version", version=f"crdtqueue {__version__}")
    kinds = parser.add_subparsers(required=True, metavar="COMMAND")
    called = next(iter(arguments), "")
    for command in COMMANDS:
        each = kinds.add_parser(command.name, help=command.help)
        if command.name == called:
            _complete(each, command)
    return parser


def _complete(parser: argparse.ArgumentParser, command: Command) -> None:
    """Adds the arguments of the command that is called."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    if command.asks_a_peer:
        from crdtqueue.cli.api_client import default_url  # noqa: PLC0415 # see `Command`

        parser.add_argument(
            "--url",
            default=default_url(),
            help="the page of the peer to ask (CRDTQUEUE_URL; now %(default)s)",
        )
    module = import_module(f"crdtqueue.cli.{command.module}")
    if command.arguments:
        getattr(module, command.arguments)(parser)
    parser.set_defaults(run=getattr(module, command.run))
