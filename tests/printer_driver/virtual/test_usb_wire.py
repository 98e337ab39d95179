from math import inf

import pytest

from printer_driver.virtual.usb_wire import (
    UNSAID_BYTES_MAX,
    Uart,
    VirtualWire,
    Wiring,
)

BYTE_S = 10 / 115200
ROOM = 1024


def test_bytes_take_their_time() -> None:
    uart = Uart(BYTE_S)
    uart.put(b"G1 X1\nG1", 1.0)
    assert uart.take(1.0) == b""
    assert uart.line_s() == pytest.approx(1.0 + 6 * BYTE_S)
    assert uart.take(1.0 + 3.5 * BYTE_S) == b"G1 "
    assert uart.take(uart.line_s()) == b"X1\n"
    uart.put(b"!", 1.0)
    assert uart.take(9.0) == b"G1!"
    assert uart.line_s() == inf


def test_nothing_is_never_on_its_way() -> None:
    """An `ok` that noise has eaten: a board that waited for it would wait without end."""
    uart = Uart(BYTE_S)
    uart.put(b"", 1.0)
    assert uart.line_s() == uart.count_s(1) == inf
    wire = VirtualWire(Wiring(baud=115200, latency_s=0.001))
    wire.from_printer(b"", 0.0)
    assert wire.next_deadline_s(ROOM) == inf


def test_native_usb_takes_no_time_but_lets_the_host_wait() -> None:
    wire = VirtualWire(Wiring())
    wire.from_host(b"G1 X1\n" * 10, 1.0)
    assert wire.at_printer(1.0, 12) == b"G1 X1\n" * 2
    assert wire.next_deadline_s(0) == inf
    assert wire.next_deadline_s(5) == 1.0
    assert wire.pending_bytes == 48


def test_a_uart_does_not_wait_for_room() -> None:
    wire = VirtualWire(Wiring(baud=115200))
    wire.from_host(b"G1 X1\n", 0.0)
    assert wire.at_printer(1.0, 0) == b"G1 X1\n"


def test_there_and_back_with_latency() -> None:
    wire = VirtualWire(Wiring(baud=115200, latency_s=0.016))
    wire.from_host(b"M105\n", 0.0)
    arrival_s = wire.next_deadline_s(ROOM)
    assert arrival_s == pytest.approx(0.001 + 5 * BYTE_S)
    assert wire.at_printer(arrival_s, ROOM) == b"M105\n"
    wire.from_printer(b"ok\n", arrival_s)
    heard_s = wire.next_deadline_s(ROOM)
    assert heard_s == pytest.approx(arrival_s + BYTE_S + 0.016)
    assert wire.at_host(heard_s - 0.0001) == b""
    assert wire.at_host(heard_s) == b"ok\n"


def test_a_full_packet_does_not_wait_for_the_timer() -> None:
    wire = VirtualWire(Wiring(baud=115200, latency_s=0.016))
    wire.from_printer(b"x" * 70, 0.0)
    full_s = 62 * BYTE_S
    assert wire.next_deadline_s(ROOM) == pytest.approx(full_s)
    assert wire.at_host(full_s) == b"x" * 62
    assert wire.at_host(full_s + 0.016) == b""
    assert wire.at_host(full_s + 0.017) == b"x" * 8


def test_a_cable_pulled_out_carries_nothing() -> None:
    wire = VirtualWire(Wiring(baud=9600))
    wire.from_host(b"G1\n", 0.0)
    wire.from_printer(b"ok\n", 0.0)
    wire.clear()
    assert (wire.at_printer(9.0, ROOM), wire.at_host(9.0)) == (b"", b"")


def test_a_flood_of_questions_uses_no_memory() -> None:
    wire = VirtualWire(Wiring(baud=300))
    for _ in range(1000):
        wire.from_printer(b"x" * 400, 0.0)
    assert wire._up.pending_bytes <= UNSAID_BYTES_MAX + 400


def test_time_goes_on_after_years() -> None:
    wire, now_s = VirtualWire(Wiring(baud=250000, latency_s=0.001)), 3e8
    wire.from_host(b"G1 X1\n" * 50, now_s)
    wire.from_printer(b"ok\n" * 50, now_s)
    taken = 0
    for _ in range(300):
        if (due_s := wire.next_deadline_s(ROOM)) == inf:
            break
        taken += len(wire.at_printer(due_s, ROOM)) + len(wire.at_host(due_s))
    assert taken == 450
