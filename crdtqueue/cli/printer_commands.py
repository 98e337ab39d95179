"""The commands that say how a peer's printer is used: `script` and `loaded`."""

import argparse
import json
from pathlib import Path

from crdtqueue.cli.api_client import (
    ApiClient,
    check_readable,
    printable,
    say,
)
from crdtqueue.cli.serve_printer import read_script
from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.scripts import SCRIPT_STEPS

Options = argparse.Namespace


def add_parsers(
    kinds: "argparse._SubParsersAction[argparse.ArgumentParser]", asking: argparse.ArgumentParser
) -> None:
    """Adds the commands to the command line."""
    script = kinds.add_parser(
        "script", parents=[asking], help="run g-code on an event, or list the scripts"
    )
    script.add_argument("event", nargs="?", choices=SCRIPT_STEPS, metavar="EVENT")
    script.add_argument("file", nargs="?", type=Path, metavar="FILE", help="without it: show it")
    script.add_argument("--clear", action="store_true", help="run nothing on this event any more")
    script.set_defaults(run=script_command)
    loaded = kinds.add_parser(
        "loaded", parents=[asking], help="say which material is loaded, tool by tool"
    )
    loaded.add_argument(
        "materials", nargs="*", metavar="MATERIAL", help="without any: what the printer asks for"
    )
    loaded.add_argument("--forget", action="store_true", help="do not ask for material any more")
    loaded.set_defaults(run=loaded_command)


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
