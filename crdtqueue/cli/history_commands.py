"""The command `history`: what was printed."""

import argparse
import json
import sys
from datetime import datetime

from crdtqueue.cli import output
from crdtqueue.cli.api_client import ApiClient

Options = argparse.Namespace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `history`."""
    for name, text in (
        ("--printer", "only by this printer"),
        ("--job", "only of this job"),
        ("--queue", "only from this queue"),
        ("--result", "only done, failed, cancelled or aborted ones"),
        ("--text", "only with this text in it"),
    ):
        parser.add_argument(name, help=text)
    parser.add_argument("--limit", type=int, default=20, help="so many (default %(default)s)")
    parser.add_argument("--csv", action="store_true", help="all of it, for a spreadsheet")


def history(options: Options) -> None:
    """`crdtqueue history`: what was printed, the latest first."""
    client = ApiClient(options.url)
    names = ("printer", "job", "queue", "result", "text")
    wanted = {name: value for name in names if (value := getattr(options, name))}
    if options.csv:
        client.download("/api/history.csv", sys.stdout.buffer, wanted)
        return
    page = client.get("/api/history", wanted | {"limit": str(options.limit)})
    if options.json:
        print(json.dumps(page))
        return
    rows = output.table("Ended", "Printer", "Job", "File", "Result", "Took", "Reason")
    for each in page["entries"]:
        ended = datetime.fromtimestamp(each["ended_at_s"]).astimezone()
        minutes = max(each["ended_at_s"] - each["started_at_s"], 0) / 60
        row = [f"{ended:%Y-%m-%d %H:%M}", each["printer_name"], each["job_name"]]
        result = each["result"] + (" (double)" if each["double"] else "")
        output.add_row(
            rows, [*row, each["file_name"], result, f"{minutes:.0f} min", each["reason"]]
        )
    output.show(rows, empty="Nothing has been printed yet.")
    if page["total"] > len(page["entries"]):
        print(output.printable(f"{page['total']} in all; --limit shows more of them."))
