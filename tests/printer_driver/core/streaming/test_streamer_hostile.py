"""Whatever a printer says, and however much of it, the streamer is in a defined state."""

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printer_driver.core.gcode.gcode_lines import (
    FileCommand,
    commands_of,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.resend_count import RESENDS_MAX
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import Connection, PrintState

MIB = 1 << 20
SAYINGS = st.sampled_from(
    [
        b"ok\n",
        b"ok T:20 /0\n",
        b"ok N3 P15 B3\n",
        b"ok N99999 P9999 B9999\n",
        b"Resend: 1\nok\n",
        b"Resend: -1\n",
        b"Resend: 4294967295\n",
        b"rs N2\n",
        b"Error:checksum mismatch, Last Line: 0\n",
        b"Error:Line Number is not Last Line Number+1, Last Line: 99\n",
        b"start\n",
        b"wait\n",
        b"echo:busy: processing\n",
        b"X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:1\n",
        b"X:nan Y:inf Z: E:\n",
        b"FIRMWARE_NAME:Marlin 2.1 Cap:X:1\n",
        b"Cap:EMERGENCY_PARSER:1\n",
        b"//action:pause\n",
        b"//action:paused\n",
        b"//action:resume\n",
        b"//action:prompt_begin x\n",
        b"//action:prompt_button y\n",
        b"//action:cancel\n",
        b"Error:Probing Failed\n",
        b"!! kill\n",
        b"\0\0\0",
    ]
)
OTHERS = st.sampled_from(
    [ev.PausePrint(), ev.ResumePrint(), ev.CancelPrint(reason="x"), ev.AnswerPrompt(choice=1)]
)


def moves(count: int) -> Iterator[FileCommand]:
    return commands_of(b"G1 X%d\n" % number for number in range(count))


def ready() -> Streamer:
    """Greeted by a printer that answers everything."""
    streamer = Streamer()
    streamer.receive(ev.PortOpened(), 0.0)
    now_s = 0.0
    while not streamer.can_start:
        answer_all(streamer, now_s)
        now_s = max(now_s, streamer.next_deadline_s() or 0.0)
        streamer.tick(now_s)
    answer_all(streamer, now_s)
    return streamer


def answer_all(streamer: Streamer, now_s: float) -> None:
    while sent := b"".join(x.data for x in streamer.effects() if isinstance(x, ev.Send)):
        for line in sent.split(b"\n"):
            if b"M105" in line:
                streamer.receive(ev.Received(data=b"ok T:20 /0 B:20 /0\n"), now_s)
            elif line:
                name = b"FIRMWARE_NAME:Marlin 2.1\n" if b"M115" in line else b""
                streamer.receive(ev.Received(data=name + b"ok\n"), now_s)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=80) | SAYINGS | OTHERS, max_size=80))
def test_any_conversation(pieces: list[bytes | ev.Event]) -> None:
    streamer = ready()
    now_s = 1.0
    streamer.receive(ev.StartPrint(print_id="p", commands=moves(50), bytes_total=1), now_s)
    for piece in pieces:
        now_s += 0.2
        event = ev.Received(data=piece) if isinstance(piece, bytes) else piece
        streamer.receive(event, now_s)
        streamer.effects()
        status = streamer.status(now_s)
        assert status.connection in Connection
        assert streamer.telemetry(now_s).lines_per_s >= 0
        for _ in range(20):  # it never asks to be called for nothing
            due_s = streamer.next_deadline_s()
            if due_s is None or due_s > now_s:
                break
            streamer.tick(now_s)
        else:
            raise AssertionError("it turns in circles")


def test_a_line_without_end_costs_no_memory() -> None:
    streamer = ready()
    tracemalloc.start()
    for _ in range(160):
        streamer.receive(ev.Received(data=b"x" * (MIB // 16)), 2.0)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < MIB
    assert streamer.can_start


def test_oks_without_end_are_counted_and_send_no_more_than_the_file() -> None:
    streamer = ready()
    streamer.receive(ev.StartPrint(print_id="p", commands=moves(10), bytes_total=1), 1.0)
    sent = b""
    for _ in range(200):
        streamer.receive(ev.Received(data=b"ok\n" * 500), 2.0)
        sent += b"".join(x.data for x in streamer.effects() if isinstance(x, ev.Send))
    assert sent.count(b"G1 X") == 10
    assert streamer.telemetry(2.0).phantom_oks > 90_000
    assert streamer.is_printing  # only an answered M105 proves that it is done


@pytest.mark.parametrize("number", [0, 5000, 2**31, 10**9])
def test_a_resend_of_what_was_never_sent_ends_the_print(number: int) -> None:
    streamer = ready()
    streamer.receive(ev.StartPrint(print_id="p", commands=moves(10), bytes_total=1), 1.0)
    for second in range(RESENDS_MAX * 2):
        streamer.receive(ev.Received(data=b"Resend: %d\nok\n" % number), 2.0 + second)
    report = streamer.status(99.0).print
    assert report
    assert report.state is PrintState.FAILED
    assert report.reason
    assert streamer.owes_cooling


def test_refusals_without_a_break_end_the_print() -> None:
    streamer = ready()
    streamer.receive(ev.StartPrint(print_id="p", commands=moves(10), bytes_total=1), 1.0)
    number = streamer._lines._cursor - 1
    for step in range(40 * 100):
        streamer.receive(ev.Received(data=b"Resend: %d\nok\n" % number), 2.0 + step / 100)
    report = streamer.status(99.0).print
    assert report
    assert "cable" in report.reason


@pytest.mark.long
def test_a_file_of_any_length_is_never_held() -> None:
    streamer = ready()
    count = 30_000
    streamer.receive(ev.StartPrint(print_id="p", commands=moves(count), bytes_total=1), 1.0)
    now_s = 1.0
    tracemalloc.start()
    while streamer.is_printing:
        answer_all(streamer, now_s)
        now_s += 0.5
        streamer.tick(now_s)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    report = streamer.status(now_s).print
    assert report
    assert (report.state, report.lines_done) == (PrintState.DONE, count)
    assert peak_bytes < MIB
