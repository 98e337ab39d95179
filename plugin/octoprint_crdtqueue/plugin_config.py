"""The settings of the plugin, validated. Every refusal is a sentence."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crdtqueue.core.document.profiles import parse_profile
from crdtqueue.core.errors import Invalid

DEFAULT_PORT = 7420
NAME_CHARS_MAX = 200
ADDRESSES_MAX = 64
CHANGES_MAX = 64
RESERVED_QUEUES = frozenset({"local", "archive"})
EVERYWHERE = "0.0.0.0"  # noqa: S104  # other printers are on the network
AUTO = "auto"
"""Among addresses: find the other peers."""

_HOST = re.compile(r"(?=.{1,253}\.?$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """How the peer process is started."""

    name: str
    profile: str
    """Empty: the queues do not use this printer."""
    port: int
    host: str = EVERYWHERE
    """The IP address that other peers reach; not on the settings page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueChange:
    """A LAN queue to join (or make), or to leave."""

    name: str
    leave: bool = False
    addresses: tuple[str, ...] = ()
    """Of peers that have it, as `host:port`; `auto` finds them."""

    def as_json(self) -> dict[str, Any]:
        """As `parse_change` reads it."""
        return {"name": self.name, "leave": self.leave, "addresses": list(self.addresses)}


def parse_config(data: Mapping[str, Any], fallback_name: str) -> Config:
    """The settings as they are stored or were typed. Raises Invalid."""
    return Config(
        name=parse_name(data.get("name")) or fallback_name,
        profile=parse_model(data.get("profile")),
        port=parse_port(data.get("port", DEFAULT_PORT)),
        host=parse_host(data.get("host")),
    )


def problems(data: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with settings as they are typed: a sentence for each field that is.

    Queues are fields too, named `queue 0`, `queue 1`, … as they stand in `queue_changes`.
    """
    checks: list[tuple[str, Any, Any]] = [
        ("name", parse_name, data.get("name")),
        ("profile", parse_model, data.get("profile")),
        ("port", parse_port, data.get("port", DEFAULT_PORT)),
        ("host", parse_host, data.get("host")),
    ]
    changes = data.get("queue_changes") or []
    if not isinstance(changes, list) or len(changes) > CHANGES_MAX:
        return {"queue_changes": f"Change at most {CHANGES_MAX} queues at once."}
    checks += [(f"queue {number}", parse_change, each) for number, each in enumerate(changes)]
    found = {}
    for field, parse, value in checks:
        try:
            parse(value)
        except Invalid as error:
            found[field] = error.message
    return found | _repeated(changes)


def _repeated(changes: list[Any]) -> dict[str, str]:
    seen: set[str] = set()
    found = {}
    for number, change in enumerate(changes):
        name = str(change.get("name", "")) if isinstance(change, dict) else ""
        key = " ".join(name.split()).casefold()
        if key and key in seen:
            found[f"queue {number}"] = f"{name.strip()} is listed twice. Remove one of the two."
        seen.add(key)
    return found


def parse_name(value: object) -> str:
    """What people call this printer; empty if nothing was given. Raises Invalid."""
    name = " ".join(str(value or "").split())
    if len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise Invalid(f"Give the printer a name of at most {NAME_CHARS_MAX} printable characters.")
    return name


def parse_model(value: object) -> str:
    """The printer's profile; empty if nothing was given. Raises Invalid."""
    text = str(value or "")
    return parse_profile(text) if text.strip() else ""


def parse_port(value: object) -> int:
    """The port for other peers. Raises Invalid."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1024 <= int(text) <= 65535):
        raise Invalid(f"{text[:20]!r} is no port. Give a number from 1024 to 65535, like 7420.")
    return int(text)


def parse_host(value: object) -> str:
    """Where to listen for other peers; everywhere if nothing is given. Raises Invalid."""
    text = str(value or "").strip()
    if not text:
        return EVERYWHERE
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise Invalid(
            f"{text[:40]!r} is no IPv4 address. Leave it empty to listen everywhere."
        ) from None


def parse_change(value: object) -> QueueChange:
    """A change of the list of queues. Addresses are a list, or a text with blanks between.

    Raises Invalid.
    """
    if not isinstance(value, Mapping):
        raise Invalid("Give each queue a name and addresses.")
    name = parse_queue(value.get("name"))
    if value.get("leave"):
        return QueueChange(name=name, leave=True)
    given = value.get("addresses") or []
    words = re.split(r"[\s,;]+", given) if isinstance(given, str) else [str(a) for a in given]
    addresses = [parse_address(word) for word in words if word.strip()]
    if len(addresses) > ADDRESSES_MAX:
        raise Invalid(f"Give at most {ADDRESSES_MAX} addresses for {name}; peers find the rest.")
    return QueueChange(name=name, addresses=tuple(dict.fromkeys(addresses)))


def parse_queue(value: object) -> str:
    """The name of a LAN queue. Raises Invalid."""
    name = " ".join(str(value or "").split())
    if not name:
        raise Invalid("Give the queue a name.")
    if len(name) > NAME_CHARS_MAX or not name.isprintable() or "/" in name:
        raise Invalid(
            f"A queue's name has at most {NAME_CHARS_MAX} printable characters and no slash."
            " Choose another name."
        )
    if name.casefold() in RESERVED_QUEUES:
        raise Invalid(f"The name {name} is reserved. Choose another name for the queue.")
    return name


def parse_address(text: str) -> str:
    """`host:port` of a peer, or `auto`. Raises Invalid."""
    if text.strip().casefold() == AUTO:
        return AUTO
    host, colon, port = text.strip().rpartition(":")
    if not colon or not _is_host(host):
        raise Invalid(
            f"{text[:60]!r} is no address of a peer. Give it as name:port, like mk3s.local:7420,"
            " or write auto."
        )
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise Invalid(f"{text[:60]!r} has no port that exists. Use one from 1 to 65535, like 7420.")
    return f"{host}:{int(port)}"


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return ":" not in text or (text.startswith("[") and text.endswith("]"))
