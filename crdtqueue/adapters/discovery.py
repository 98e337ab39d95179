"""Finds other peers of a queue on the local network, by DNS-SD over multicast DNS.

Each peer announces `<peer>-<room>._crdtqueue._tcp.local.` with its room in the TXT record, and
listens for others with the same room. Source: RFC 6763. The result is only an address to dial: the
hello decides who answers there.
"""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

import zeroconf
from zeroconf import InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from crdtqueue.adapters.links import Address
from crdtqueue.core.ids import PeerId

SERVICE = "_crdtqueue._tcp.local."
ANSWER_TIMEOUT_MS = 3_000
LOOKUPS_MAX = 32
"""So many announcements are looked up at the same time; more are found at their next one."""


async def discover(
    *,
    room: str,
    peer: PeerId,
    listen: Address,
    found: Callable[[Address], None],
    on_problem: Callable[[str], None],
) -> None:
    """Announces this peer and calls `found` with the addresses of others, until cancelled.

    Only on the interface that `listen` names; on all if it is the unspecified address.
    """
    try:
        hosts = await _interfaces(listen.host)
        network = AsyncZeroconf(
            interfaces=hosts or InterfaceChoice.All,
            ip_version=IPVersion.V6Only if ":" in listen.host else IPVersion.V4Only,
        )
    except OSError as error:
        on_problem(
            f"This network does not let peers find each other ({error.strerror}). Give the address"
            " of one of them."
        )
        return
    try:
        own = _announcement(room, peer, hosts or _reachable_addresses(), listen.port)
        await _announce_and_listen(network, own, room, found)
    finally:
        await network.async_close()


async def _announce_and_listen(
    network: AsyncZeroconf,
    own: AsyncServiceInfo,
    room: str,
    found: Callable[[Address], None],
) -> None:
    await network.async_register_service(own, allow_name_change=True)
    lookups: set[asyncio.Task[None]] = set()

    def on_change(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed or name == own.name:
            return
        if len(lookups) < LOOKUPS_MAX:
            info = AsyncServiceInfo(service_type, name)
            lookup = asyncio.create_task(_look_up(zeroconf, info, room, found))
            lookups.add(lookup)
            lookup.add_done_callback(lookups.discard)

    browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[on_change])
    try:
        await asyncio.Event().wait()
    finally:
        for lookup in lookups:
            lookup.cancel()
        await browser.async_cancel()


async def _interfaces(host: str) -> list[str]:
    """The IP address of the interface that `host` names; empty for all of them."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # compared, not bound
        return []
    known = await asyncio.get_running_loop().getaddrinfo(host, None)
    return [str(known[0][4][0])]


def _announcement(room: str, peer: PeerId, hosts: list[str], port: int) -> AsyncServiceInfo:
    # A DNS label has at most 63 bytes; the room itself is in the TXT record.
    label = f"{peer}-{hashlib.sha256(room.encode()).hexdigest()[:12]}"
    return AsyncServiceInfo(
        SERVICE,
        f"{label}.{SERVICE}",
        port=port,
        properties={"room": room},
        server=f"{label}.local.",
        parsed_addresses=hosts,
    )


def _reachable_addresses() -> list[str]:
    every: list[str] = zeroconf.get_all_addresses()  # type: ignore[attr-defined]  # is public
    return [host for host in every if not ip_address(host).is_loopback] or every


async def _look_up(
    zeroconf: Zeroconf, info: AsyncServiceInfo, room: str, found: Callable[[Address], None]
) -> None:
    if not await info.async_request(zeroconf, ANSWER_TIMEOUT_MS):
        return
    said = info.properties.get(b"room")
    if said != room.encode() or not info.port:
        return
    with suppress(ValueError):  # An address that makes no sense is nobody's.
        for host in info.parsed_addresses()[:8]:
            found(Address(host=host, port=info.port))
