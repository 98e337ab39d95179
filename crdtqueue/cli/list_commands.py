"""The commands that show what a peer knows: jobs, peers, and its printer."""

import argparse
import json

from crdtqueue.cli import output
from crdtqueue.cli.api_client import ApiClient
from crdtqueue.core.errors import NotFound

Options = argparse.Namespace


def add_ls_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `ls`."""
    parser.add_argument("--queue", help="only this queue")
    parser.add_argument("--deleted", action="store_true", help="those that can be restored")


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
    rows = output.table("Queue", "Job", "Name", "State", "Copies", "Profiles", "Why")
    for queue in queues:
        for job in queue["deleted"] if options.deleted else ():
            output.add_row(rows, [queue["name"], job["id"], job["name"], "deleted", "", "", ""])
        for job in () if options.deleted else queue["jobs"]:
            profiles = sorted({p for each in job["sets"] for p in each["profiles"]})
            row = [queue["name"], job["id"], job["name"], job["state"]]
            row += [f"{job['copies_done']}/{job['copies_total']}", ", ".join(profiles), job["why"]]
            output.add_row(rows, row)
    output.show(rows, empty="No jobs. Add one with 'crdtqueue add FILE'.")


def peers(options: Options) -> None:
    """`crdtqueue peers`."""
    queues = ApiClient(options.url).state()["queues"]
    if options.json:
        print(json.dumps([{"name": q["name"], "peers": q["peers"]} for q in queues]))
        return
    rows = output.table("Queue", "Peer", "Profile", "In sight", "Address", "Printer")
    for queue in queues:
        for peer in queue["peers"]:
            sight = "this one" if peer["self"] else "yes" if peer["online"] else "no"
            printer = peer["printer"]["text"] if peer["printer"] else ""
            row = [queue["name"], peer["name"], peer["profile"] or "", sight]
            output.add_row(rows, [*row, peer["address"] or "", printer])
    output.show(rows, empty="No peers.")


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
    print("\n".join(map(output.printable, lines)))
