"""The commands for the printer of a peer: its print, its bed, its scripts, its material."""

import argparse
import json
from pathlib import Path

from crdtqueue.cli.api_client import ApiClient, check_readable, find_jobs, job_path
from crdtqueue.cli.output import printable, say
from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.scripts import SCRIPT_BYTES_MAX, SCRIPT_STEPS

Options = argparse.Namespace


def add_pause_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pause` and `resume`."""
    parser.add_argument(
        "jobs",
        nargs="*",
        metavar="JOB",
        help="a job, by its id or the start of it; without any: the print of this printer",
    )


def add_printer_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `printer`."""
    parser.add_argument("what", choices=["restart"], metavar="restart")


def add_script_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `script`."""
    parser.add_argument("event", nargs="?", choices=SCRIPT_STEPS, metavar="EVENT")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="without it: show it")
    parser.add_argument("--clear", action="store_true", help="run nothing on this event any more")


def add_loaded_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `loaded`."""
    parser.add_argument(
        "materials", nargs="*", metavar="MATERIAL", help="without any: what the printer asks for"
    )
    parser.add_argument("--forget", action="store_true", help="do not ask for material any more")


def pause(options: Options) -> None:
    """`crdtqueue pause [JOB…]`: no further copy of these jobs begins; or the print pauses."""
    client = ApiClient(options.url)
    if not options.jobs:
        client.post("/api/printer/pause")
        say(options, "The printer pauses.", paused=True)
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/pause")
        say(
            options,
            f"Job {job} is paused. A copy that is being printed goes on.",
            id=job,
            paused=True,
        )


def resume(options: Options) -> None:
    """`crdtqueue resume [JOB…]`: these jobs may be printed again; or the print goes on."""
    client = ApiClient(options.url)
    if not options.jobs:
        client.post("/api/printer/resume")
        say(options, "The print goes on.", paused=False)
    for queue, job in find_jobs(client, options.jobs):
        client.post(f"{job_path(queue, job)}/resume")
        say(options, f"Job {job} is resumed: it may be printed.", id=job, paused=False)


def clear(options: Options) -> None:
    """`crdtqueue clear`."""
    ApiClient(options.url).post("/api/printer/bed-clear")
    say(options, "The bed is clear.", bed_clear=True)


def cancel(options: Options) -> None:
    """`crdtqueue cancel`."""
    ApiClient(options.url).post("/api/printer/cancel")
    say(options, "The print is cancelled.", cancelled=True)


def accept_damage(options: Options) -> None:
    """`crdtqueue accept-damage`."""
    ApiClient(options.url).post("/api/store/accept-damage")
    say(options, "The printer takes jobs again.", accepted=True)


def start(options: Options) -> None:
    """`crdtqueue start`."""
    ApiClient(options.url).post("/api/printer/managing", {"managing": True})
    say(options, "The printer takes jobs from the queues.", managing=True)


def stop(options: Options) -> None:
    """`crdtqueue stop`."""
    ApiClient(options.url).post("/api/printer/managing", {"managing": False})
    say(options, "The printer takes no more jobs.", managing=False)


def printer_command(options: Options) -> None:
    """`crdtqueue printer restart`."""
    ApiClient(options.url).post("/api/printer/restart")
    say(options, "The printer process has been restarted.", restarted=True)


def script_command(options: Options) -> None:
    """`crdtqueue script [EVENT [FILE | --clear]]`."""
    client, event = ApiClient(options.url), options.event
    if options.clear and (event is None or options.file):
        raise Invalid("Say which script to clear: crdtqueue script EVENT --clear.")
    if options.clear:
        client.delete(f"/api/printer/scripts/{event}")
        say(options, f"Nothing is run on {event} any more.", event=event, cleared=True)
    elif options.file:
        check_readable(options.file)
        client.put(f"/api/printer/scripts/{event}", {"gcode": read_script(options.file)})
        say(options, f"{options.file} is run on {event}.", event=event, cleared=False)
    else:
        _show(options, client.get("/api/printer/scripts", {}))


def _show(options: Options, scripts: dict[str, str]) -> None:
    shown = {e: g for e, g in scripts.items() if options.event in {None, e}}
    if options.json:
        print(json.dumps(shown))
        return
    for event, gcode in shown.items():
        lines = [f"  {printable(line)}" for line in gcode.splitlines()]
        print("\n".join([f"{event}:", *lines]))
    if not shown:
        print("There is no such script. Set one with 'crdtqueue script EVENT FILE'.")


def loaded_command(options: Options) -> None:
    """`crdtqueue loaded [MATERIAL… | --forget]`."""
    client = ApiClient(options.url)
    if options.forget:
        client.post("/api/printer/loaded", {"materials": None})
        say(options, "The printer asks for no material any more.", materials=None)
        return
    materials = options.materials or _asked(client)
    client.post("/api/printer/loaded", {"materials": materials})
    said = ", ".join(f"{material} in tool {tool}" for tool, material in enumerate(materials, 1))
    say(options, f"Loaded: {said}.", materials=materials)


def _asked(client: ApiClient) -> list[str]:
    """What is loaded once a person has done what the printer asks for."""
    printer = client.state()["printer"] or {}
    missing = {int(tool): str(text) for tool, text in printer.get("missing", {}).items()}
    if not missing:
        raise Invalid("The printer asks for nothing. Say what is loaded: crdtqueue loaded PLA.")
    loaded = [str(each) for each in printer["loaded"]]
    loaded += [""] * (max(missing) + 1 - len(loaded))
    return [missing.get(tool, known) for tool, known in enumerate(loaded)]


def read_script(path: Path) -> str:
    """The g-code in a file. Raises Invalid."""
    try:
        with path.open("rb") as file:
            return file.read(SCRIPT_BYTES_MAX + 1).decode("utf-8", "replace")
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}. Check the file.") from error
