"""OctoPrint's push socket: opens it, logs in, reads, and opens it again. It decides nothing."""

import asyncio
import json
import logging
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from printer_driver.core.octoprint.push_messages import (
    MESSAGE_BYTES_MAX,
    SUBSCRIPTION,
    THROTTLE,
    LoginExpired,
    Pushed,
    PushState,
    StatePushed,
    pushed_in,
)
from printer_driver.errors import PrinterUnavailable
from printer_driver.octoprint.rest_api import OctoPrintApi

OPEN_TIMEOUT_S = 10.0
"""For the socket, and once more from the login to the first state."""
LONG_CHARS = 64 * 1024
"""From here on, reading a message takes so long that the event loop must not wait for it."""
CLOSE_TIMEOUT_S = 1.0
PING_S = 10.0
RETRY_MIN_S = 1.0
RETRY_MAX_S = 30.0

_log = logging.getLogger(__name__)


class PushSocket:
    """Passes on push messages, and whether any can be expected, until it is cancelled.

    Without it nothing is lost but time: whoever hears that it is down polls.
    """

    def __init__(
        self,
        api: OctoPrintApi,
        *,
        hear: Callable[[tuple[Pushed, ...]], None],
        turn: Callable[[PushState], None],
    ) -> None:
        self._api = api
        self._hear = hear
        self._turn = turn
        self._state = PushState.OPENING

    async def run(self) -> None:
        """Ends only when cancelled."""
        retry_s, self._state = RETRY_MIN_S, PushState.OPENING
        while True:
            reason = await self._attempt()
            was_live, self._state = self._state is PushState.LIVE, PushState.DOWN
            self._turn(PushState.DOWN)
            retry_s = RETRY_MIN_S if was_live else min(2 * retry_s, RETRY_MAX_S)
            _log.log(
                logging.INFO if was_live else logging.DEBUG,
                "OctoPrint at %s pushes nothing (%s); it is polled, and asked again in %g s",
                self._api.shown_url,
                reason,
                retry_s,
            )
            await asyncio.sleep(retry_s)

    async def _attempt(self) -> str:
        """Runs one connection until it ends; returns why it has."""
        try:
            async with _Connect(
                self._api.push_url(),
                max_size=MESSAGE_BYTES_MAX,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                compression=None,
                proxy=None,
            ) as socket:
                await self._listen(socket)
        except PrinterUnavailable as error:
            return str(error)
        except (WebSocketException, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return "it wants a new login"

    async def _listen(self, socket: ClientConnection) -> None:
        """Subscribes before it logs in, so that hardly anything else is sent."""
        async with asyncio.timeout(OPEN_TIMEOUT_S) as silence:
            auth = await self._api.push_login()
            for message in ({"subscribe": SUBSCRIPTION}, {"throttle": THROTTLE}, {"auth": auth}):
                await socket.send(json.dumps(message))
            async for text in socket:
                pushed = await _read(text)
                if any(isinstance(each, LoginExpired) for each in pushed):
                    return
                if self._state is not PushState.LIVE and _has_state(pushed):
                    silence.reschedule(None)
                    self._state = PushState.LIVE
                    self._turn(PushState.LIVE)
                self._hear(pushed)
        raise ConnectionResetError("the connection was closed")


async def _read(text: str | bytes) -> tuple[Pushed, ...]:
    if len(text) < LONG_CHARS:
        return pushed_in(text)
    return await asyncio.to_thread(pushed_in, text)


def _has_state(pushed: tuple[Pushed, ...]) -> bool:
    return any(isinstance(each, StatePushed) for each in pushed)


class _Connect(connect):
    """Follows no redirect: the session that is sent belongs to this OctoPrint only."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc
