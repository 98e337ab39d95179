"""The commands that take jobs along as `.gjob` archives, and show what was printed."""

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path

from rich.table import Table

from crdtqueue.cli.api_client import (
    ApiClient,
    find_jobs,
    job_path,
    printable,
    say,
)
from crdtqueue.cli.tables import add_row, show
from crdtqueue.core.errors import Invalid

Options = argparse.Namespace


def export(options: Options) -> None:
    """`crdtqueue export JOB FILE`."""
    client, target = ApiClient(options.url), Path(options.file)
    ((queue, job),) = find_jobs(client, [options.job])
    try:
        with target.open("xb") as file:
            size_bytes = client.download(f"{job_path(queue, job)}/gjob", file)
    except FileExistsError:
        raise Invalid(f"{target} is there already. Give another name.") from None
    except OSError as error:
        raise Invalid(f"{target} cannot be written: {error.strerror}. Choose another.") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    say(options, f"Wrote {target}.", file=str(target), bytes=size_bytes)


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
    table = Table("Ended", "Printer", "Job", "File", "Result", "Took", "Reason", box=None)
    for each in page["entries"]:
        ended = datetime.fromtimestamp(each["ended_at_s"]).astimezone()
        minutes = max(each["ended_at_s"] - each["started_at_s"], 0) / 60
        row = [f"{ended:%Y-%m-%d %H:%M}", each["printer_name"], each["job_name"]]
        result = each["result"] + (" (double)" if each["double"] else "")
        add_row(table, [*row, each["file_name"], result, f"{minutes:.0f} min", each["reason"]])
    show(table, empty="Nothing has been printed yet.")
    if page["total"] > len(page["entries"]):
        print(printable(f"{page['total']} in all; --limit shows more of them."))
