"""`crdtqueue serve`: binds the ports, then runs the peer and its page until it is told to stop."""

import argparse
import asyncio
import contextlib
import errno
import json
import math
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import uvicorn

from crdtqueue.adapters.links import Address, parse_address
from crdtqueue.adapters.octoprint_source import OctoPrintAddress
from crdtqueue.adapters.printer_process import SerialPrinter
from crdtqueue.cli import serve_printer
from crdtqueue.cli.api_client import DEFAULT_HTTP_PORT
from crdtqueue.cli.log_levels import AREAS, LEVELS, set_up_logging
from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.errors import Invalid, NotFound, Refused
from crdtqueue.core.ids import is_count
from crdtqueue.http.app import make_app
from crdtqueue.peer.config import PeerConfig, PrinterConfig, queue_name
from crdtqueue.peer.peer import Peer
from crdtqueue.peer.peer_finder import PeerSources
from printer_driver.process import stream_options

DEFAULT_PEER_PORT = 7420
SHUTDOWN_S = 3
REQUESTS_MAX = 256
SECRET_CHARS_MAX = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `serve`."""
    parser.add_argument("--queue", metavar="NAME", help="the LAN queue to take part in")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="HOST:PORT|auto",
        help="another peer of that queue, or auto to find them on this network; may be given again",
    )
    parser.add_argument("--name", default=socket.gethostname(), help="what people call this peer")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(platformdirs.user_data_dir("crdtqueue", appauthor=False)),
        help="the folder for queues and files (default: %(default)s)",
    )
    parser.add_argument(
        "--listen",
        default=f"0.0.0.0:{DEFAULT_PEER_PORT}",
        metavar="HOST:PORT",
        help="where other peers reach this one (default: %(default)s)",
    )
    parser.add_argument(
        "--http",
        default=f"127.0.0.1:{DEFAULT_HTTP_PORT}",
        metavar="HOST:PORT",
        help="where the web page and the API are (default: %(default)s; 0.0.0.0 lets everybody on"
        " the network use them)",
    )
    parser.add_argument(
        "--api-token-file",
        type=Path,
        help="a file with a token that every request to the API must carry",
    )
    parser.add_argument(
        "--log-level",
        default=os.environ.get("CRDTQUEUE_LOG", "INFO"),
        metavar="LEVEL|AREA=LEVEL,…",
        help=f"how much is logged ({', '.join(LEVELS)}), of everything or of an area"
        f" ({', '.join(AREAS)}); CRDTQUEUE_LOG, now %(default)s",
    )
    _add_printer(parser)
    parser.add_argument(
        "--cold-start-hold-s",
        type=float,
        default=ClaimTimes().cold_start_hold_s,
        help="how long to hold back after a start while no known peer is in sight (default: 60)",
    )
    # For tests alone: who marks a printer lost earlier may get a copy twice.
    parser.add_argument(
        "--mark-lost-after-s",
        type=float,
        default=ClaimTimes().mark_lost_after_s,
        help=argparse.SUPPRESS,
    )


DEFAULT_BAUD = 115_200


def _add_printer(parser: argparse.ArgumentParser) -> None:
    printer = parser.add_argument_group("the printer of this peer, if it has one")
    printer.add_argument(
        "--port", help="its serial port, 'auto' to find it, or 'virtual[:…]' for a virtual printer"
    )
    printer.add_argument("--octoprint", metavar="URL", help="the OctoPrint that drives it")
    printer.add_argument(
        "--octoprint-key-file", type=Path, help="a file with an application key of OctoPrint"
    )
    printer.add_argument("--profile", help="its model, as the slicer names it")
    printer.add_argument(
        "--baud",
        metavar="auto|N",
        help="its speed, or 'auto' to find it (default: 115200; with --port auto: auto)",
    )
    serve_printer.add_arguments(printer)
    stream_options.add_arguments(printer)
    printer.add_argument(
        "--speed-up", type=float, default=1.0, help="how much faster a virtual printer is"
    )
    printer.add_argument(
        "--record", type=Path, help="a file for the commands that a virtual printer executes"
    )


def serve(options: argparse.Namespace) -> None:
    """Runs until SIGINT or SIGTERM. Raises a CrdtQueueError if it cannot begin."""
    set_up_logging(options.log_level)
    config = config_of(options)
    token = read_secret(options.api_token_file) if options.api_token_file else None
    try:
        config.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(
            f"The folder {config.folder} cannot be made: {error.strerror}. Choose one with --data."
        ) from error
    listener = bind(config.listen, "--listen")
    with contextlib.closing(listener), contextlib.closing(bind(config.http, "--http")) as http:
        asyncio.run(_run(config, options, token, listener, http))


def config_of(options: argparse.Namespace) -> PeerConfig:
    """The peer that the arguments describe. Raises Invalid."""
    if not 0 < options.speed_up < math.inf:
        raise Invalid("--speed-up must be a number above 0.")
    if not 0 <= options.cold_start_hold_s < math.inf:
        raise Invalid("--cold-start-hold-s must be a number of seconds, 0 or more.")
    if not 0 <= options.mark_lost_after_s < math.inf:
        raise Invalid("--mark-lost-after-s must be a number of seconds, 0 or more.")
    if options.peer and not options.queue:
        raise Invalid("Say which queue you share with that peer: --queue NAME.")
    if options.queue:
        queue_name(options.queue)
        PeerSources.parse(options.peer)
    return PeerConfig(
        folder=options.data.absolute(),
        name=options.name.strip()[:200] or "unnamed",
        listen=parse_address(options.listen),
        http=parse_address(options.http),
        printer=_printer_of(options),
        times=ClaimTimes(
            cold_start_hold_s=options.cold_start_hold_s,
            mark_lost_after_s=options.mark_lost_after_s,
        ),
    )


def _printer_of(options: argparse.Namespace) -> PrinterConfig | None:
    if options.port and options.octoprint:
        raise Invalid("Give either --port or --octoprint: one program at a time drives a printer.")
    if bool(options.port or options.octoprint) != bool(options.profile):
        raise Invalid(
            "A printer needs both: --port or --octoprint for where it is, and --profile for its"
            " model, as the slicer names it."
        )
    if bool(options.octoprint) != bool(options.octoprint_key_file):
        raise Invalid("--octoprint needs --octoprint-key-file with an application key for it.")
    if not options.profile:
        return None
    return PrinterConfig(
        place=_octoprint_of(options) if options.octoprint else _serial_of(options),
        worker=serve_printer.worker_of(options),
        scripts=serve_printer.scripts_of(options),
    )


def _octoprint_of(options: argparse.Namespace) -> OctoPrintAddress:
    url = options.octoprint.strip().rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise Invalid(
            f"{url[:60]!r} is no address of an OctoPrint. Give it like http://octopi.local:5000."
        )
    return OctoPrintAddress(url=url, key=read_secret(options.octoprint_key_file))


def _serial_of(options: argparse.Namespace) -> SerialPrinter:
    record = options.record.absolute() if options.record else None
    return SerialPrinter(
        port=options.port,
        baud=_baud_of(options),
        speed_up=options.speed_up,
        record=record,
        stream=stream_options.settings_of(options),
    )


def _baud_of(options: argparse.Namespace) -> int | None:
    """The speed of the port; None to find it. Raises Invalid."""
    text = options.baud or ("auto" if options.port == "auto" else str(DEFAULT_BAUD))
    if text == "auto":
        return None
    if not is_count(text) or int(text) == 0:
        raise Invalid(f"{text[:40]!r} is no speed. Give --baud a number like 115200, or auto.")
    return int(text)


def read_secret(path: Path) -> str:
    """The key or token in a file. Raises Invalid if there is none."""
    try:
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read. Check its name, and who may read it.") from error
    if not secret or len(secret) > SECRET_CHARS_MAX or not secret.isprintable():
        raise Invalid(f"{path} holds no key. Put the key alone into it, on one line.")
    return secret


def bind(address: Address, option: str) -> socket.socket:
    """A socket that listens at `address`. Raises Refused or Invalid with what to do."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except PermissionError as error:
        raise Refused(
            f"Port {address.port} may only be used by the administrator. Choose one above 1023"
            f" with {option}.",
            code="port_privileged",
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(
                f"Port {address.port} is in use by another program. Stop that one, or choose"
                f" another port with {option}.",
                code="port_in_use",
            ) from error
        raise Invalid(
            f"{address} is no address of this computer: {error.strerror}. Correct {option}."
        ) from error


class _Page(uvicorn.Server):
    """uvicorn inside our event loop. It must not handle signals: `serve` does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield


async def _run(
    config: PeerConfig,
    options: argparse.Namespace,
    token: str | None,
    listener: socket.socket,
    http: socket.socket,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt does it.
            loop.add_signal_handler(number, stop.set)
    peer = Peer(config)
    async with peer.running(listener):
        await _join(peer, options)
        page = _Page(
            uvicorn.Config(
                make_app(peer, own_names(config), token),
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=SHUTDOWN_S,
                limit_concurrency=REQUESTS_MAX,
            )
        )
        serving = asyncio.create_task(page.serve(sockets=[http]), name="page")
        _announce(config, options)
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        peer.changes.close()
        page.should_exit = True
        await serving
        stopping.cancel()


async def _join(peer: Peer, options: argparse.Namespace) -> None:
    if not options.queue:
        return
    name = queue_name(options.queue)
    try:
        peer.queue(name)
    except NotFound:
        await peer.add_queue(name, options.peer)
    else:
        await peer.add_addresses(name, options.peer)


def own_names(config: PeerConfig) -> frozenset[str]:
    """The host names that a browser may know this computer by."""
    host = socket.gethostname().lower()
    return frozenset({"localhost", host, host.partition(".")[0], config.http.host.lower()})


def _announce(config: PeerConfig, options: argparse.Namespace) -> None:
    host = "127.0.0.1" if config.http.host == "0.0.0.0" else config.http.host  # noqa: S104
    page = f"http://{Address(host=host, port=config.http.port)}/"
    if options.json:
        print(json.dumps({"page": page, "peer": str(config.listen), "name": config.name}))
    else:
        print(f"{config.name} is running. Its page: {page}")
    sys.stdout.flush()
