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

from crdtqueue.cli.client import Client, check_readable, job_path, printable
from crdtqueue.core.errors import Invalid, NotFound

Options = argparse.Namespace


def _say(options: Options, text: str, **facts: object) -> None:
    print(json.dumps(facts) if options.json else printable(text))


# Jobs


def add(options: Options) -> None:
    """`crdtqueue add FILE…`: one job, each file a set of it."""
    client = Client(options.url)
    paths = [Path(name) for name in options.files]
    for path in paths:
        check_readable(path)
    queue = options.queue or _default_queue(client.state())
    sets = [
        {
            "sha256": file["sha256"],
            "name": file["name"],
            "copies": options.copies,
            "profiles": options.profile or [_profile(file)],
        }
        for file in _upload(client, paths, quiet=options.json)
    ]
    name = printable(options.name or paths[0].stem)
    request = {"name": name, "runs": options.runs, "sets": sets}
    added = client.post(f"/api/queues/{quote(queue, safe='')}/jobs", request)
    _say(options, f"Added {name} to {queue} as job {added['id']}.", id=added["id"], queue=queue)


def _upload(client: Client, paths: list[Path], *, quiet: bool) -> list[dict[str, Any]]:
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
    state = Client(options.url).state()
    wanted = options.queue and options.queue.casefold()
    queues = [q for q in state["queues"] if wanted in (None, q["name"].casefold())]
    if not queues:
        raise NotFound(f"There is no queue {options.queue!r} here. Leave --queue away to see all.")
    if options.json:
        print(json.dumps(queues))
        return
    table = Table("Queue", "Job", "Name", "State", "Copies", "Profiles", "Why", box=None)
    for queue in queues:
        for job in queue["jobs"]:
            profiles = sorted({p for each in job["sets"] for p in each["profiles"]})
            row = [queue["name"], job["id"], job["name"], job["state"]]
            row += [f"{job['copies_done']}/{job['copies_total']}", ", ".join(profiles), job["why"]]
            _add_row(table, row)
    _show(table, empty="No jobs. Add one with 'crdtqueue add FILE'.")


def rm(options: Options) -> None:
    """`crdtqueue rm JOB…`."""
    client = Client(options.url)
    for queue, job in _find(client, options.jobs):
        client.delete(job_path(queue, job))
        _say(options, f"Deleted job {job}.", id=job, deleted=True)


def hold(options: Options) -> None:
    """`crdtqueue hold JOB…`."""
    client = Client(options.url)
    for queue, job in _find(client, options.jobs):
        client.post(f"{job_path(queue, job)}/pause")
        _say(options, f"Job {job} is held back.", id=job, held=True)


def release(options: Options) -> None:
    """`crdtqueue release JOB…`."""
    client = Client(options.url)
    for queue, job in _find(client, options.jobs):
        client.post(f"{job_path(queue, job)}/resume")
        _say(options, f"Job {job} may be printed.", id=job, held=False)


def mv(options: Options) -> None:
    """`crdtqueue mv JOB… --to QUEUE`."""
    client = Client(options.url)
    for queue, job in _find(client, options.jobs):
        client.post(f"{job_path(queue, job)}/move", {"to": options.to})
        _say(options, f"Moved job {job} to {options.to}.", id=job, queue=options.to)


def _find(client: Client, wanted: list[str]) -> list[tuple[str, str]]:
    """Queue and id of each job, by id or the start of it; all are found before any is touched."""
    jobs = [(q["name"], j["id"]) for q in client.state()["queues"] for j in q["jobs"]]
    found = []
    for text in wanted:
        matches = [each for each in jobs if text and each[1].startswith(text)]
        if not matches:
            raise NotFound(f"There is no job {text!r}. Look it up with 'crdtqueue ls'.")
        if len(matches) > 1:
            raise Invalid(f"{text!r} is the start of {len(matches)} jobs. Give more of the id.")
        found += matches
    return list(dict.fromkeys(found))


# Peers and printers


def peers(options: Options) -> None:
    """`crdtqueue peers`."""
    queues = Client(options.url).state()["queues"]
    if options.json:
        print(json.dumps([{"name": q["name"], "peers": q["peers"]} for q in queues]))
        return
    table = Table("Queue", "Peer", "Profile", "In sight", "Address", "Printer", box=None)
    for queue in queues:
        for peer in queue["peers"]:
            sight = "this one" if peer["self"] else "yes" if peer["online"] else "no"
            printer = peer["printer"]["text"] if peer["printer"] else ""
            row = [queue["name"], peer["name"], peer["profile"] or "", sight]
            _add_row(table, [*row, peer["address"] or "", printer])
    _show(table, empty="No peers.")


def status(options: Options) -> None:
    """`crdtqueue status`."""
    state = Client(options.url).state()
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
    Client(options.url).post("/api/printer/bed-clear")
    _say(options, "The bed is clear.", bed_clear=True)


def pause(options: Options) -> None:
    """`crdtqueue pause`."""
    Client(options.url).post("/api/printer/pause")
    _say(options, "The printer pauses.", paused=True)


def resume(options: Options) -> None:
    """`crdtqueue resume`."""
    Client(options.url).post("/api/printer/resume")
    _say(options, "The print goes on.", paused=False)


def cancel(options: Options) -> None:
    """`crdtqueue cancel`."""
    Client(options.url).post("/api/printer/cancel")
    _say(options, "The print is cancelled.", cancelled=True)


def start(options: Options) -> None:
    """`crdtqueue start`."""
    Client(options.url).post("/api/printer/managing", {"managing": True})
    _say(options, "The printer takes jobs from the queues.", managing=True)


def stop(options: Options) -> None:
    """`crdtqueue stop`."""
    Client(options.url).post("/api/printer/managing", {"managing": False})
    _say(options, "The printer takes no more jobs.", managing=False)


# Queues


def join(options: Options) -> None:
    """`crdtqueue join NAME`."""
    request = {"name": options.name, "peers": options.peer}
    name = Client(options.url).post("/api/queues", request)["name"]
    _say(options, f"This peer takes part in {name}.", queue=name)


def leave(options: Options) -> None:
    """`crdtqueue leave NAME`."""
    Client(options.url).delete(f"/api/queues/{quote(options.name, safe='')}")
    _say(options, f"This peer has left {options.name}.", queue=options.name)


def _add_row(table: Table, row: list[str]) -> None:
    table.add_row(*(escape(printable(cell)) for cell in row))


def _show(table: Table, *, empty: str) -> None:
    if table.row_count:
        Console(soft_wrap=True).print(table)
    else:
        print(empty)
