"""The commands that ask a running peer."""

import argparse
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from crdtqueue.cli.api_client import (
    ApiClient,
    check_readable,
    printable,
    say,
)
from crdtqueue.cli.tables import add_row, show
from crdtqueue.core.errors import Invalid, NotFound

Options = argparse.Namespace


# Jobs


def add(options: Options) -> None:
    """`crdtqueue add FILE…`: one job, each file a set of it; each `.gjob` a job of its own."""
    client = ApiClient(options.url)
    paths = [Path(name) for name in options.files]
    for path in paths:
        check_readable(path)
    queue = options.queue or _default_queue(client.state())
    archives = [path for path in paths if path.suffix.lower() == ".gjob"]
    for path in archives:
        added = client.send(f"/api/queues/{quote(queue, safe='')}/gjob", path)
        say(options, f"Added {path} to {queue} as job {added['id']}.", id=added["id"], queue=queue)
    if paths := [path for path in paths if path not in archives]:
        _add_job(client, queue, paths, options)


def _add_job(client: ApiClient, queue: str, paths: list[Path], options: Options) -> None:
    sets = [
        {
            "sha256": file["sha256"],
            "name": file["name"],
            "copies": options.copies,
            "profiles": options.profile or [_profile(file)],
            "materials": file.get("materials", []),
        }
        for file in _upload(client, paths, quiet=options.json)
    ]
    name = printable(options.name or paths[0].stem)
    request = {"name": name, "runs": options.runs, "sets": sets}
    added = client.post(f"/api/queues/{quote(queue, safe='')}/jobs", request)
    say(options, f"Added {name} to {queue} as job {added['id']}.", id=added["id"], queue=queue)


def _upload(client: ApiClient, paths: list[Path], *, quiet: bool) -> list[dict[str, Any]]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TransferSpeedColumn(), console=console, disable=quiet) as bars:
        files = []
        for path in paths:
            bar = bars.add_task(escape(printable(path.name)), total=path.stat().st_size)
            files.append(client.upload(path, lambda sent, bar=bar: bars.advance(bar, sent)))  # type: ignore[misc]
    return files


def _profile(file: dict[str, Any]) -> str:
    if not file["profile"]:
        raise Invalid(
            f"{file['name']} does not say which printer it is for. Give --profile with the"
            " printer's model, or --profile ANY if every printer may print it."
        )
    return str(file["profile"])


def _default_queue(state: dict[str, Any]) -> str:
    shared = [queue["name"] for queue in state["queues"] if not queue["local"]]
    if len(shared) > 1:
        raise Invalid(f"There are several queues ({', '.join(shared)}). Say which with --queue.")
    return str(shared[0]) if shared else "local"


def ls(options: Options) -> None:
    """`crdtqueue ls`: the jobs, in the order in which they are printed."""
    state = ApiClient(options.url).state()
    wanted = options.queue and options.queue.casefold()
    queues = [q for q in state["queues"] if wanted in (None, q["name"].casefold())]
    if not queues:
        raise NotFound(f"There is no queue {options.queue!r} here. Leave --queue away to see all.")
    if options.json:
        print(json.dumps(queues))
        return
    table = Table("Queue", "Job", "Name", "State", "Copies", "Profiles", "Why", box=None)
    for queue in queues:
        for job in queue["deleted"] if options.deleted else ():
            add_row(table, [queue["name"], job["id"], job["name"], "deleted", "", "", ""])
        for job in () if options.deleted else queue["jobs"]:
            profiles = sorted({p for each in job["sets"] for p in each["profiles"]})
            row = [queue["name"], job["id"], job["name"], job["state"]]
            row += [f"{job['copies_done']}/{job['copies_total']}", ", ".join(profiles), job["why"]]
            add_row(table, row)
    show(table, empty="No jobs. Add one with 'crdtqueue add FILE'.")


# Peers and printers


def peers(options: Options) -> None:
    """`crdtqueue peers`."""
    queues = ApiClient(options.url).state()["queues"]
    if options.json:
        print(json.dumps([{"name": q["name"], "peers": q["peers"]} for q in queues]))
        return
    table = Table("Queue", "Peer", "Profile", "In sight", "Address", "Printer", box=None)
    for queue in queues:
        for peer in queue["peers"]:
            sight = "this one" if peer["self"] else "yes" if peer["online"] else "no"
            printer = peer["printer"]["text"] if peer["printer"] else ""
            row = [queue["name"], peer["name"], peer["profile"] or "", sight]
            add_row(table, [*row, peer["address"] or "", printer])
    show(table, empty="No peers.")


def status(options: Options) -> None:
    """`crdtqueue status`."""
    state = ApiClient(options.url).state()
    if options.json:
        print(json.dumps({"peer": state["peer"], "printer": state["printer"]}))
        return
    peer, printer = state["peer"], state["printer"]
    lines = [f"{peer['name']}, crdtqueue {peer['version']}, for other peers at {peer['address']}"]
    if printer:
        part = f" {printer['progress']:.0%}" if printer["progress"] is not None else ""
        lines.append(f"Printer ({printer['profile']}): {printer['text']}{part}")
        lines += [
            f"  {each['name']}: {each['actual_c']:.1f} / {each['target_c']:.1f} °C"
            for each in printer["temperatures"]
        ]
    else:
        lines.append("No printer on this peer.")
    lines += [f"Problem: {problem}" for problem in peer["problems"]]
    print("\n".join(map(printable, lines)))


def clear(options: Options) -> None:
    """`crdtqueue clear`."""
    ApiClient(options.url).post("/api/printer/bed-clear")
    say(options, "The bed is clear.", bed_clear=True)


def pause(options: Options) -> None:
    """`crdtqueue pause`."""
    ApiClient(options.url).post("/api/printer/pause")
    say(options, "The printer pauses.", paused=True)


def resume(options: Options) -> None:
    """`crdtqueue resume`."""
    ApiClient(options.url).post("/api/printer/resume")
    say(options, "The print goes on.", paused=False)


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


# Queues


def join(options: Options) -> None:
    """`crdtqueue join NAME`."""
    request = {"name": options.name, "peers": options.peer}
    name = ApiClient(options.url).post("/api/queues", request)["name"]
    say(options, f"This peer takes part in {name}.", queue=name)


def leave(options: Options) -> None:
    """`crdtqueue leave NAME`."""
    ApiClient(options.url).delete(f"/api/queues/{quote(options.name, safe='')}")
    say(options, f"This peer has left {options.name}.", queue=options.name)
