"""What a bug report needs to know about a peer and its computer, without secrets."""

import asyncio
import platform
import re
import sys
from dataclasses import asdict
from importlib import metadata
from urllib.parse import urlsplit

from crdtqueue import __version__
from crdtqueue.adapters import store_facts
from crdtqueue.adapters.octoprint_source import OctoPrintAddress
from crdtqueue.adapters.printer_source import Place
from crdtqueue.adapters.store_schema import SCHEMA
from crdtqueue.api.state_text import Json
from crdtqueue.peer.config import PeerConfig, PrinterConfig
from crdtqueue.peer.peer import STORE_NAME, Peer
from printer_driver.process.stream_options import arguments_of


async def diagnosis(peer: Peer) -> Json:
    """Versions, settings and store facts of a running peer."""
    sizes = await asyncio.to_thread(store_facts.sizes, peer.config.folder / STORE_NAME)
    return {
        "versions": await asyncio.to_thread(versions),
        "settings": settings_of(peer.config),
        "store": {"schema": SCHEMA, "damage": peer.store.damage, **sizes},
    }


def versions() -> Json:
    """The versions of crdtqueue, Python, the system and every library that crdtqueue needs;
    None for one that is not installed."""
    return {
        "crdtqueue": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "libraries": {name: _version_of(name) for name in _libraries()},
    }


def _libraries() -> list[str]:
    try:
        required = metadata.requires("crdtqueue") or []
    except metadata.PackageNotFoundError:
        return []
    return sorted({"octoprint", *(re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in required)})


def _version_of(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def settings_of(config: PeerConfig) -> Json:
    """The settings that a peer was started with.

    Every field is named here, so that a secret which is added to the settings stays out.
    """
    return {
        "folder": str(config.folder),
        "name": config.name,
        "listen": str(config.listen),
        "http": str(config.http),
        "claim_times": asdict(config.times),
        "printer": _printer_settings(config.printer) if config.printer else None,
    }


def _printer_settings(printer: PrinterConfig) -> Json:
    worker = printer.worker
    return {
        "profile": worker.profile,
        "self_clearing": worker.self_clearing,
        "retries": worker.retries,
        "cooldown": asdict(worker.cooldown) if worker.cooldown else None,
        "scripts_set_at_start": sorted(step.value for step in printer.scripts),
        "place": _place(printer.place),
    }


def _place(place: Place) -> Json:
    if isinstance(place, OctoPrintAddress):
        return {"octoprint": _without_login(place.url)}
    return {
        "port": place.port,
        "baud": place.baud,
        "speed_up": place.speed_up,
        "stream": arguments_of(place.stream),
    }


def _without_login(url: str) -> str:
    """Scheme, host and port: user, password, path and query may be secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "no valid URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
