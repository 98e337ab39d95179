"""The wire between host and virtual printer: baud rate, USB latency, and their effect on timing.

A USB-serial adapter forwards what the host writes with the next USB frame (1 ms), byte by byte at
the baud rate. It collects what the printer says until it has 62 bytes or its latency timer is over
(16 ms by default in an FTDI chip; its application note AN232B-04).
"""

from collections import deque
from dataclasses import dataclass
from math import inf

BITS_PER_BYTE = 10
FRAME_S = 0.001
PACKET_BYTES = 62
UNSAID_BYTES_MAX = 64 * 1024
_EPSILON = 0.01
"""Rounding, in bytes: enough after years of sped-up time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wiring:
    """`baud` None: native USB, where bytes take no time and the board lets the host wait."""

    baud: int | None = None
    latency_s: float = 0.0


class Uart:
    """The bytes of one direction, at the baud rate."""

    def __init__(self, byte_s: float) -> None:
        self._byte_s = byte_s
        self._chunks: deque[tuple[float, bytes]] = deque()  # when the first byte sets out
        self._free_s = 0.0
        self.pending_bytes = 0
        """Not there yet, or not taken."""

    def put(self, data: bytes, now_s: float) -> None:
        """Bytes to send, behind those already there."""
        if not data:
            return  # an empty chunk would be due and never taken
        begin_s = max(now_s, self._free_s)
        self._free_s = begin_s + len(data) * self._byte_s
        self._chunks.append((begin_s, data))
        self.pending_bytes += len(data)

    def clear(self) -> None:
        """What is on its way is lost."""
        self._chunks.clear()
        self._free_s = 0.0
        self.pending_bytes = 0

    def take(self, now_s: float, bytes_max: float = inf) -> bytes:
        """What has arrived."""
        taken = []
        while self._chunks and bytes_max > 0:
            begin_s, data = self._chunks[0]
            count = len(data)
            if self._byte_s:
                count = min(count, int((now_s - begin_s) / self._byte_s + _EPSILON))
            elif begin_s > now_s:
                count = 0
            count = int(min(count, bytes_max))
            if count <= 0:
                break
            taken.append(data[:count])
            bytes_max -= count
            self.pending_bytes -= count
            if count == len(data):
                self._chunks.popleft()
            else:
                self._chunks[0] = (begin_s + count * self._byte_s, data[count:])
        return b"".join(taken)

    def line_s(self) -> float:
        """When the next line end has arrived, or all there is."""
        if not self._chunks:
            return inf
        begin_s, data = self._chunks[0]
        return begin_s + (data.find(b"\n") + 1 or len(data)) * self._byte_s

    def count_s(self, count: int) -> float:
        """When so many bytes have arrived; never, if there are not so many."""
        for begin_s, data in self._chunks:
            if count <= len(data):
                return begin_s + count * self._byte_s
            count -= len(data)
        return inf


class VirtualWire:
    """Both directions."""

    def __init__(self, wiring: Wiring) -> None:
        self._byte_s = BITS_PER_BYTE / wiring.baud if wiring.baud else 0.0
        self._latency_s = wiring.latency_s
        self._frame_s = min(FRAME_S, wiring.latency_s)
        self._down, self._up = Uart(self._byte_s), Uart(self._byte_s)

    @property
    def lets_wait(self) -> bool:
        """Whether bytes stay in the host's buffer while the printer's is full."""
        return not self._byte_s

    @property
    def pending_bytes(self) -> int:
        """On their way to the printer."""
        return self._down.pending_bytes

    def from_host(self, data: bytes, now_s: float) -> None:
        """Bytes that the host writes."""
        self._down.put(data, now_s + self._frame_s)

    def at_printer(self, now_s: float, room_bytes: int) -> bytes:
        """Bytes that the printer receives by now."""
        return self._down.take(now_s, room_bytes if self.lets_wait else inf)

    def from_printer(self, data: bytes, now_s: float) -> None:
        """Bytes that the printer says; a host that asks faster than the wire carries loses some."""
        if self._up.pending_bytes < UNSAID_BYTES_MAX:
            self._up.put(data, now_s)

    def at_host(self, now_s: float) -> bytes:
        """Bytes that the host can read by now."""
        taken = []
        while (due_s := self._packet_s()) <= now_s:
            if not (packet := self._up.take(due_s)):
                break
            taken.append(packet)
        return b"".join(taken)

    def clear(self) -> None:
        """The cable is out."""
        self._down.clear()
        self._up.clear()

    def _packet_s(self) -> float:
        """When the adapter hands on what it has collected."""
        first_s = self._up.count_s(1)
        return min(first_s + self._latency_s, max(first_s, self._up.count_s(PACKET_BYTES)))

    def next_deadline_s(self, room_bytes: int) -> float:
        """When something arrives at either end."""
        down_s = inf if self.lets_wait and room_bytes <= 0 else self._down.line_s()
        return min(down_s, self._packet_s())
