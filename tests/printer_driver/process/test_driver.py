"""Requests against a session on a virtual printer behind a real pseudo-terminal, all in here.

What the background thread would do is done when a test says so, so that a print can be met between
any two steps of its beginning.
"""

import hashlib
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from unittest.mock import Mock

import pytest

from printer_driver import clock
from printer_driver.background import Background, Task, Threads
from printer_driver.core.streaming import file_wait
from printer_driver.core.streaming import stream_events as ev
from printer_driver.port.port_keeper import PortKeeper
from printer_driver.port.serial_log import SerialLog
from printer_driver.printer import (
    Connection,
    PrintReport,
    PrintState,
    report_from_json,
)
from printer_driver.prints.file_check import (
    BLOCK_BYTES,
    CheckedFile,
    check_file,
)
from printer_driver.prints.journal import Journal
from printer_driver.prints.line_journal import LineJournal
from printer_driver.process import driver as module
from printer_driver.process.driver import (
    CHECK_S_MAX,
    WAITERS_MAX,
    Driver,
)
from printer_driver.process.printer_session import PrinterSession
from printer_driver.protocol import Request, parse_request
from printer_driver.virtual.incidents import parse_incident
from printer_driver.virtual.pty_printer import VirtualPrinter
from tests.harness.patience import HANG_S
from tests.printer_driver.prints.test_read_ahead import Disk

pytestmark = pytest.mark.e2e

SPEED_UP = 200.0
MOVES = "G90\nM83\nG92 X0 Y0 Z0 E0\n" + "G1 X10 E1 F6000\nG1 X0 E1\n" * 20
SAYS_CLEAR = "M118 A1 action:bed_clear\n"
LONG = MOVES + "G4 S600\n"
BLOCKS = MOVES + f"G1 X10 E.1 F6000 ; {'x' * 200}\n" * 1200
"""Several of BLOCK_BYTES."""
A, B = "a", "b"


class Shelf(Background):
    """Tasks lie here until `work`; `is_full` is a disk that hangs."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: deque[Task] = deque()
        self.is_full = False

    def run(self, task: Task) -> bool:
        if not self.is_full:
            self.tasks.append(task)
        return not self.is_full

    def work(self) -> None:
        while self.tasks:
            self.tasks.popleft()()


class Bench:
    """A driver with all that it works on, and the loop around it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.board = VirtualPrinter(speed_up=SPEED_UP)
        self.shelf = Shelf()
        self.replies: list[dict[str, Any]] = []
        self._soon: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._port = self.board.start()
        self.take_up()

    def take_up(self) -> None:
        """What a process does when it starts."""
        folder = self.folder
        self.journal = Journal(folder / "journal")
        for report in self.journal.load():
            raise AssertionError(report)
        line_journal = LineJournal(folder / "lines")
        self.session = PrinterSession(
            keeper=PortKeeper(port=self._port, baud=115200, notes=folder / "notes"),
            selector=self._selector,
            line_journal=line_journal,
            serial_log=SerialLog(folder / "log"),
            threads=Threads(journals=self.shelf, files=self.shelf),
            call_soon=self._soon.append,
            happened=self.note,
        )
        self.driver = Driver(
            session=self.session,
            journal=self.journal,
            line_journal=line_journal,
            threads=Threads(journals=self.shelf, files=self.shelf),
            call_soon=self._soon.append,
        )
        self.session.open(time.monotonic())
        self.until(lambda: self.error("send", commands=["M105"]) is None)

    def note(self, event: ev.PrintEnded | ev.BedReportedClear) -> None:
        self.driver.note(event)

    def restart(self) -> None:
        """The process ends and begins anew; the printer is the same."""
        self.journal.flush()
        self._selector.close()
        self._selector = selectors.DefaultSelector()
        self.session.close()
        self.take_up()

    def close(self) -> None:
        self.session.close()
        self._selector.close()
        self.board.stop()

    def turn(self) -> None:
        for key, mask in self._selector.select(0.01):
            key.data(mask)
        while self._soon:
            self._soon.popleft()()
        self.session.tick(time.monotonic())
        self.driver.tick(time.monotonic())

    def until(self, is_so: Callable[[], bool]) -> None:
        end_s = time.monotonic() + HANG_S
        while not is_so():
            assert time.monotonic() < end_s, self.driver.status(time.monotonic())
            self.turn()

    def post(self, do: str, **fields: Any) -> list[dict[str, Any]]:
        """A request; returns what will have the answer."""
        replies: list[dict[str, Any]] = []
        self.driver.request(request(do, **fields), replies.append, time.monotonic())
        return replies

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """A request that is answered at once."""
        (reply,) = self.post(do, **fields)
        return reply

    def error(self, do: str, **fields: Any) -> str | None:
        """The code with which it is refused."""
        code: str | None = self.ask(do, **fields).get("error", {}).get("code")
        return code

    def post_start(self, print_id: str, gcode: str) -> list[dict[str, Any]]:
        (self.folder / f"{print_id}.gcode").write_text(gcode)
        return self.post("start", **self.started(print_id))

    def started(self, print_id: str) -> dict[str, str]:
        """The fields of the request."""
        path = self.folder / f"{print_id}.gcode"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"print_id": print_id, "path": str(path), "sha256": digest}

    def look_through(self) -> None:
        """The file is read, then written down, then the print begins."""
        for _ in range(2):
            self.shelf.work()
            self.turn()

    def start(self, print_id: str, gcode: str) -> None:
        replies = self.post_start(print_id, gcode)
        self.look_through()
        assert "report" in replies[0], replies

    def report(self, print_id: str) -> PrintReport | None:
        report = self.ask("report", print_id=print_id)["report"]
        return report_from_json(report) if report else None

    def is_at(self, print_id: str, state: PrintState) -> bool:
        report = self.report(print_id)
        return bool(report and report.state is state)

    def lines_done(self, print_id: str) -> int:
        report = self.report(print_id)
        return report.lines_done if report else 0

    def print(self, print_id: str, gcode: str) -> PrintReport:
        """From its start to its end."""
        self.start(print_id, gcode)
        self.until(lambda: not self.driver.is_busy)
        report = self.report(print_id)
        assert report
        return report

    def cleared_after(self) -> str | None:
        return self.driver.status(time.monotonic()).bed_cleared_after

    def say_clear(self) -> None:
        self.board.cause(parse_incident("say // action:bed_clear"))


def request(do: str, **fields: Any) -> Request:
    return parse_request({"id": 1, "do": do, **fields})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


# Starting


def test_a_print_is_on_record_before_its_first_line(bench: Bench) -> None:
    replies = bench.post_start(A, MOVES)
    assert bench.driver.is_busy
    assert bench.is_at(A, PrintState.STARTING)
    bench.shelf.work()
    bench.turn()
    assert (replies, bench.session.is_printing) == ([], False)
    bench.shelf.work()
    assert [x.print_id for x in Journal(bench.folder / "journal").load_open()] == [A]
    assert not bench.session.is_printing
    bench.turn()
    assert replies[0]["report"]["state"] == "starting"
    bench.until(lambda: bench.is_at(A, PrintState.DONE))


def test_the_same_start_again_is_the_same_print(bench: Bench) -> None:
    both = [bench.post_start(A, MOVES), bench.post_start(A, MOVES)]
    bench.look_through()
    assert both[0] == both[1]
    assert [len(replies) for replies in both] == [1, 1]
    bench.until(lambda: bench.is_at(A, PrintState.DONE))
    (late,) = bench.post_start(A, MOVES)
    assert late["report"]["state"] == "done"
    assert not bench.driver.is_busy


def test_no_crowd_waits_for_one_start(bench: Bench) -> None:
    waiting = [bench.post_start(A, MOVES) for _ in range(WAITERS_MAX)]
    (refused,) = bench.post_start(A, MOVES)
    assert refused["error"]["code"] == "busy"
    bench.look_through()
    assert all(len(replies) == 1 for replies in waiting)


def test_one_print_at_a_time(bench: Bench) -> None:
    bench.post_start(A, LONG)
    (while_starting,) = bench.post_start(B, MOVES)
    bench.look_through()
    (while_printing,) = bench.post_start(B, MOVES)
    for reply in (while_starting, while_printing):
        assert reply["error"]["code"] == "busy"
    assert bench.error("send", commands=["G28"]) == "busy"
    assert bench.report(B) is None


@pytest.mark.parametrize("steps", [0, 1])
def test_cancelled_before_it_began_it_may_be_started_again(bench: Bench, steps: int) -> None:
    replies = bench.post_start(A, MOVES)
    for _ in range(steps):
        bench.shelf.work()
        bench.turn()
    assert bench.ask("cancel", print_id=A) == {"ok": True}
    bench.look_through()
    assert replies[0]["error"]["code"] == "cancelled"
    assert (bench.report(A), bench.driver.is_busy) == (None, False)
    assert bench.print(A, MOVES).state is PrintState.DONE


@pytest.mark.parametrize("steps", [0, 1])
def test_a_start_that_took_too_long_is_refused_and_the_next_begins_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    late = bench.post_start(A, MOVES)
    for _ in range(steps):
        bench.shelf.work()
        bench.turn()
    with monkeypatch.context() as patched:
        patched.setattr(module, "CHECK_S_MAX", 0.0)
        bench.look_through()
    assert late[0]["error"]["code"] == "late"
    assert (bench.report(A), bench.driver.is_busy) == (None, False)
    monkeypatch.setattr(module, "check_file", None)  # it is not looked through again
    again = bench.post("start", **bench.started(A))
    bench.look_through()
    assert again[0]["report"]["state"] == "starting"
    bench.until(lambda: bench.is_at(A, PrintState.DONE))


def test_a_computer_that_slept_during_the_check_asks_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = bench.post_start(A, MOVES)
    slept_s = CHECK_S_MAX + clock.now_s()
    with monkeypatch.context() as patched:
        patched.setattr("printer_driver.clock.now_s", lambda: slept_s + 1)
        bench.look_through()
    assert late[0]["error"]["code"] == "late"


def test_a_file_changed_since_its_check_is_looked_through_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.post_start(A, MOVES)
    with monkeypatch.context() as patched:
        patched.setattr(module, "CHECK_S_MAX", 0.0)
        bench.look_through()
    fields = bench.started(A)
    Path(fields["path"]).write_text("G1 X1\n" + MOVES)
    again = bench.post("start", **fields)
    bench.look_through()
    assert again[0]["error"]["code"] == "wrong_file"


def test_a_file_changed_during_its_check_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_and_touch(file: BinaryIO, *rest: Any) -> CheckedFile:
        checked = check_file(file, *rest)
        (bench.folder / f"{A}.gcode").write_text("G1 X1\n" + MOVES)
        return checked

    monkeypatch.setattr(module, "check_file", check_and_touch)
    replies = bench.post_start(A, MOVES)
    bench.look_through()
    assert replies[0]["error"]["code"] == "wrong_file"
    assert (bench.report(A), bench.driver.is_busy) == (None, False)


def test_a_wrong_file_leaves_no_trace(bench: Bench) -> None:
    replies = bench.post_start(A, "to be or not to be\n")
    bench.look_through()
    assert replies[0]["error"]["code"] == "bad_gcode"
    assert (bench.report(A), bench.driver.is_busy) == (None, False)


def test_a_disk_that_hangs_delays_the_start(bench: Bench) -> None:
    bench.shelf.is_full = True
    (at_once,) = bench.post_start(A, MOVES)
    bench.shelf.is_full = False
    later = bench.post_start(A, MOVES)
    bench.shelf.work()
    bench.shelf.is_full = True
    bench.turn()
    assert at_once["error"]["code"] == later[0]["error"]["code"] == "unavailable"
    assert (bench.report(A), bench.driver.is_busy) == (None, False)


def test_a_file_is_opened_where_that_may_take_its_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "open_gcode", None)
    replies = bench.post_start(A, MOVES)
    assert (replies, bench.driver.is_busy) == ([], True)
    stopped = bench.post("emergency_stop")
    bench.until(lambda: bool(stopped))
    monkeypatch.undo()
    bench.look_through()
    assert replies[0]["error"]["code"] == "cancelled"


@pytest.mark.parametrize("asked", ["check_file", "identity_of"])
def test_a_file_server_that_forgets_the_file_refuses_the_print(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    replies = bench.post_start(A, MOVES)
    forgotten = Mock(side_effect=OSError(116, "Stale file handle"))
    monkeypatch.setattr(module, asked, forgotten)
    bench.look_through()
    assert "Stale file handle" in replies[0]["error"]["message"]
    assert (bench.report(A), bench.driver.is_busy) == (None, False)


def test_what_nobody_has_thought_of_refuses_the_print(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = bench.post_start(A, MOVES)
    monkeypatch.setattr(module, "check_file", Mock(side_effect=RuntimeError))
    with pytest.raises(RuntimeError):  # for the log
        bench.shelf.work()
    bench.turn()
    assert "see the log" in replies[0]["error"]["message"]
    assert (bench.report(A), bench.driver.is_busy) == (None, False)


@pytest.mark.parametrize("do", ["cancel", "emergency_stop", "quit", "wait"])
def test_a_start_whose_file_hangs_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    replies = bench.post_start(A, MOVES)  # nobody works the shelf
    if do == "wait":
        monkeypatch.setattr(module, "CHECK_S_MAX", 0.0)
        bench.turn()
    else:
        bench.post(do, **({"print_id": A} if do == "cancel" else {"force": True}))
    assert replies[0]["error"]["code"] == ("late" if do == "wait" else "cancelled")
    assert (bench.report(A), bench.driver.is_busy) == (None, False)


def test_behind_a_start_that_was_given_up_the_printer_is_free(bench: Bench) -> None:
    bench.post_start(A, LONG)
    bench.ask("cancel", print_id=A)
    assert bench.error("send", commands=["M104 S0"]) is None
    replies = bench.post_start(B, MOVES)
    bench.look_through()  # the disk is back, for both
    assert replies[0]["report"]["print_id"] == B
    bench.until(lambda: bench.is_at(B, PrintState.DONE))
    assert bench.report(A) is None


def test_a_file_that_is_not_there_refuses_the_print(bench: Bench) -> None:
    replies = bench.post("start", print_id=A, path=str(bench.folder / "none"), sha256="0" * 64)
    bench.look_through()
    assert replies[0]["error"]["code"] == "wrong_file"
    assert (bench.report(A), bench.driver.is_busy) == (None, False)


def test_a_journal_that_cannot_be_written_refuses_the_print(bench: Bench) -> None:
    replies = bench.post_start(A, MOVES)
    (bench.folder / "lines").mkdir()
    bench.look_through()
    assert replies[0]["error"]["code"] == "disk"
    assert not bench.driver.is_busy


# While it prints


def test_control_of_the_print_that_runs_and_of_no_other(bench: Bench) -> None:
    for do in ("pause", "resume", "cancel"):
        assert bench.error(do, print_id=A) == "not_printing"
    bench.start(A, LONG)
    assert bench.error("pause", print_id=B) == "not_printing"
    assert bench.error("pause", print_id=A) is None
    bench.until(lambda: bench.is_at(A, PrintState.PAUSED))
    assert bench.error("resume", print_id=A) is None
    bench.until(lambda: bench.is_at(A, PrintState.PRINTING))
    assert bench.error("cancel", print_id=A) is None
    bench.until(lambda: bench.is_at(A, PrintState.CANCELLED))
    assert bench.error("cancel", print_id=A) == "not_printing"


def test_it_quits_when_nothing_is_printed_or_by_force(bench: Bench) -> None:
    bench.start(A, LONG)
    assert bench.error("quit") == "busy"
    assert bench.error("quit", force=True) is None
    bench.until(lambda: bench.is_at(A, PrintState.CANCELLED))
    (refused,) = bench.post_start(B, MOVES)
    assert refused["error"]["code"] == "unavailable"


def test_an_emergency_stop_says_how_it_ended(bench: Bench) -> None:
    bench.start(A, LONG)
    bench.until(lambda: bench.is_at(A, PrintState.PRINTING))
    replies = bench.post("emergency_stop")
    bench.until(lambda: bool(replies))
    assert replies[0]["confirmed_by"] in ("firmware", "none")
    assert replies[0]["message"]
    assert bench.is_at(A, PrintState.FAILED)
    (refused,) = bench.post_start(B, MOVES)
    assert refused["error"]["code"] == "halted"


def owes_cooling(bench: Bench) -> bool:
    """What the next process would find."""
    bench.journal.flush()
    found = Journal(bench.folder / "journal")
    found.load_open()
    return found.owes_cooling


def test_the_next_process_knows_of_heaters_that_nobody_saw_off(bench: Bench) -> None:
    bench.start(A, LONG)
    bench.until(lambda: bench.is_at(A, PrintState.PRINTING))
    assert not owes_cooling(bench)  # the open print says enough
    bench.board.cause(parse_incident("unplug"))
    bench.until(lambda: bench.driver.status(time.monotonic()).connection is Connection.OFFLINE)
    assert bench.error("cancel", print_id=A) is None
    bench.until(lambda: bench.is_at(A, PrintState.CANCELLED))
    assert owes_cooling(bench)
    bench.board.cause(parse_incident("plug"))
    bench.until(lambda: bench.driver.status(time.monotonic()).connection is Connection.READY)
    bench.turn()
    assert not owes_cooling(bench)


@pytest.mark.parametrize("is_printing", [False, True])
def test_a_halted_printer_is_cooled_by_the_next_process(bench: Bench, *, is_printing: bool) -> None:
    if is_printing:
        bench.start(A, LONG)
    replies = bench.post("emergency_stop")
    bench.until(lambda: bool(replies))
    assert owes_cooling(bench)
    bench.board.cause(parse_incident("reset"))
    bench.until(lambda: bench.driver.status(time.monotonic()).connection is Connection.READY)
    bench.turn()
    assert not owes_cooling(bench)


def test_a_print_that_ends_as_it_should_owes_nothing(bench: Bench) -> None:
    bench.print(A, MOVES)
    assert not owes_cooling(bench)
    bench.start(B, "M104 S200\n" + LONG)
    bench.ask("cancel", print_id=B)
    bench.until(lambda: bench.is_at(B, PrintState.CANCELLED))
    bench.turn()
    assert not owes_cooling(bench)


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("is_there", [False, True])
def test_an_emergency_stop_takes_back_a_start(bench: Bench, steps: int, *, is_there: bool) -> None:
    replies = bench.post_start(A, LONG)
    for _ in range(steps):
        bench.shelf.work()
        bench.turn()
    if not is_there:
        bench.board.cause(parse_incident("unplug"))
        bench.until(lambda: bench.driver.status(time.monotonic()).connection is Connection.OFFLINE)
    stop = bench.post("emergency_stop")
    bench.until(lambda: bool(stop))
    assert ("error" in stop[0]) is not is_there
    bench.board.cause(parse_incident("reset" if is_there else "plug"))
    bench.until(lambda: bench.driver.status(time.monotonic()).connection is Connection.READY)
    bench.look_through()
    assert replies[0]["error"]["code"] == "cancelled"
    assert not bench.driver.is_busy


def test_an_emergency_stop_without_a_port_ends_a_print_that_is_interrupted(bench: Bench) -> None:
    bench.start(A, LONG)
    bench.until(lambda: bench.is_at(A, PrintState.PRINTING))
    bench.board.cause(parse_incident("unplug"))
    bench.until(lambda: bench.driver.status(time.monotonic()).connection is Connection.OFFLINE)
    assert bench.error("emergency_stop") == "unavailable"
    assert bench.is_at(A, PrintState.FAILED)


def test_the_last_words_of_a_process_end_a_wait_first(bench: Bench) -> None:
    """Of firmware without an emergency parser, which would not get to the heaters before."""
    bench.start(A, "M104 S200\nM0\n" + LONG)
    bench.until(lambda: bench.board.condition.nozzle_target_c == 200.0)
    bench.session.heaters_off_blindly()
    bench.until(lambda: bench.board.condition.nozzle_target_c == 0.0)


def test_commands_answers_and_the_log(bench: Bench) -> None:
    assert bench.error("send", commands=["G1 \x07"]) == "bad_gcode"
    assert bench.error("answer", choice=0) == "no_question"
    for words in ("prompt_begin Go on?", "prompt_choice Yes", "prompt_show"):
        bench.board.cause(parse_incident(f"say // action:{words}"))
    bench.until(lambda: bool(bench.ask("status")["status"]["question"]))
    assert bench.error("answer", choice=0) is None
    assert bench.ask("serial_log")["paths"]


# The bed


def test_a_print_that_takes_its_part_off(bench: Bench) -> None:
    assert bench.print(A, MOVES).bed_cleared is False
    assert bench.cleared_after() is None
    assert bench.print(B, MOVES + SAYS_CLEAR + "G1 X0 F6000\n").bed_cleared is True
    assert bench.cleared_after() == B
    bench.restart()
    assert bench.cleared_after() == B


def test_the_next_print_lies_on_the_bed(bench: Bench) -> None:
    bench.print(A, MOVES + SAYS_CLEAR)
    assert bench.cleared_after() == A
    bench.start(B, LONG)
    assert bench.cleared_after() is None
    bench.say_clear()
    bench.until(lambda: bench.is_at(B, PrintState.PRINTING))
    bench.ask("cancel", print_id=B)
    bench.until(lambda: bench.is_at(B, PrintState.CANCELLED))
    assert bench.cleared_after() is None
    report = bench.report(A)
    assert report
    assert report.bed_cleared  # it was, then


def test_a_printer_that_says_so_later_also_to_the_next_process(bench: Bench) -> None:
    bench.print(A, MOVES)
    bench.restart()
    bench.say_clear()
    bench.until(lambda: bench.cleared_after() == A)
    assert bench.ask("status")["status"]["bed_cleared_after"] == A
    bench.restart()
    assert bench.cleared_after() == A


def test_said_twice_it_is_written_once(bench: Bench) -> None:
    bench.print(A, MOVES)
    bench.driver.note(ev.BedReportedClear())
    bench.journal.flush()
    bench.driver.note(ev.BedReportedClear())
    assert bench.journal.is_flushed
    assert bench.driver.status(0.0).print == bench.report(A)


def test_a_print_that_fails_behind_its_own_word_lies_on_the_bed(bench: Bench) -> None:
    bench.print(A, MOVES + SAYS_CLEAR)
    assert bench.cleared_after() == A
    bench.start(B, MOVES + SAYS_CLEAR + "G4 S600\n")
    bench.until(lambda: bench.lines_done(B) == (MOVES + SAYS_CLEAR).count("\n"))
    bench.board.cause(parse_incident("say Error:Probing failed"))
    bench.until(lambda: bench.is_at(B, PrintState.FAILED))
    report = bench.report(B)
    assert report
    assert report.bed_cleared is False
    assert bench.cleared_after() is None
    bench.restart()
    assert bench.report(B) == report
    assert bench.cleared_after() is None


def test_before_the_first_print_there_is_nothing_to_clear(bench: Bench) -> None:
    bench.driver.note(ev.BedReportedClear())
    assert bench.cleared_after() is None


def test_a_print_that_is_about_to_begin_keeps_what_was_said_before(bench: Bench) -> None:
    bench.print(A, MOVES + SAYS_CLEAR)
    replies = bench.post_start(B, MOVES)
    bench.shelf.work()
    bench.turn()
    bench.shelf.work()  # on record
    bench.driver.note(ev.BedReportedClear())
    assert bench.cleared_after() is None
    bench.ask("cancel", print_id=B)
    bench.turn()
    assert replies[0]["error"]["code"] == "cancelled"
    assert bench.cleared_after() == A


# A disk that hangs


@pytest.fixture
def disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """It has the file of a print that has sent all that could be read before it hung."""
    (bench.folder / "a.gcode").write_text(BLOCKS)
    disk = Disk(bench.folder / "a.gcode")
    monkeypatch.setattr(module, "open_gcode", lambda _path: disk.file)
    bench.post("start", **bench.started(A))
    bench.shelf.work()
    disk.hangs_at = BLOCK_BYTES
    bench.turn()
    bench.shelf.work()
    bench.turn()
    bench.until(lambda: disk.hangs.is_set() and bench.lines_done(A) == sent_before_it_hung())
    yield disk
    disk.comes_back.set()
    bench.session.close()
    thread = next((x for x in threading.enumerate() if x.name == "read ahead"), None)
    if thread:
        thread.join(HANG_S)
    assert disk.closed_by == "read ahead"


def sent_before_it_hung() -> int:
    return BLOCKS[:BLOCK_BYTES].count("\n")


def test_a_print_goes_on_when_its_disk_does(bench: Bench, disk: Disk) -> None:
    assert bench.is_at(A, PrintState.PRINTING)
    disk.comes_back.set()
    bench.until(lambda: bench.is_at(A, PrintState.DONE))
    assert bench.lines_done(A) == BLOCKS.count("\n")


def test_a_cancel_does_not_wait_for_the_disk(bench: Bench, disk: Disk) -> None:
    assert bench.ask("cancel", print_id=A) == {"ok": True}
    bench.until(lambda: bench.is_at(A, PrintState.CANCELLED))
    assert not owes_cooling(bench)
    assert not disk.closed


def test_a_pause_does_not_wait_for_the_disk(bench: Bench, disk: Disk) -> None:
    assert bench.ask("pause", print_id=A) == {"ok": True}
    bench.until(lambda: bench.is_at(A, PrintState.PAUSED))
    disk.comes_back.set()
    bench.ask("resume", print_id=A)
    bench.until(lambda: bench.is_at(A, PrintState.DONE))
    assert bench.lines_done(A) == BLOCKS.count("\n")


def test_an_emergency_stop_does_not_wait_for_the_disk(bench: Bench, disk: Disk) -> None:
    replies = bench.post("emergency_stop")
    bench.until(lambda: bool(replies))
    assert replies[0]["confirmed_by"] == "firmware"
    assert bench.is_at(A, PrintState.FAILED)
    assert not disk.closed


def test_people_are_told_what_the_print_waits_for(
    bench: Bench, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_wait, "SHOWN_S", 0.5)
    bench.until(lambda: "waits for its file" in bench.ask("status")["status"]["notification"])
    reports = bench.session._streamer.reported.reports
    bench.until(lambda: bench.session._streamer.reported.reports > reports)
    disk.comes_back.set()
    bench.until(lambda: not bench.ask("status")["status"]["notification"])
