"""The commands by which a peer joins and leaves LAN queues."""

import argparse
from urllib.parse import quote

from crdtqueue.cli.api_client import ApiClient
from crdtqueue.cli.output import say

Options = argparse.Namespace


def add_join_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `join`."""
    parser.add_argument("name")
    parser.add_argument("--peer", action="append", default=[], metavar="HOST:PORT")


def add_leave_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `leave`."""
    parser.add_argument("name")


def join(options: Options) -> None:
    """`crdtqueue join NAME`."""
    request = {"name": options.name, "peers": options.peer}
    name = ApiClient(options.url).post("/api/queues", request)["name"]
    say(options, f"This peer takes part in {name}.", queue=name)


def leave(options: Options) -> None:
    """`crdtqueue leave NAME`."""
    ApiClient(options.url).delete(f"/api/queues/{quote(options.name, safe='')}")
    say(options, f"This peer has left {options.name}.", queue=options.name)
