"""The command `add`: g-code files as one job, or `.gjob` archives."""

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from crdtqueue.cli.api_client import ApiClient, check_readable
from crdtqueue.cli.output import printable, say
from crdtqueue.core.errors import Invalid

Options = argparse.Namespace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `add`."""
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--copies", type=int, default=1, help="copies of each file (default 1)")
    parser.add_argument("--runs", type=int, default=1, help="times the whole job (default 1)")
    parser.add_argument(
        "--profile",
        action="append",
        default=[],
        help="the printer model that the files are for; may be given again; ANY for every printer"
        " (default: what the slicer wrote)",
    )
    parser.add_argument("--queue", help="the queue (default: the only LAN queue, else local)")
    parser.add_argument("--name", help="the job's name (default: that of the first file)")


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
