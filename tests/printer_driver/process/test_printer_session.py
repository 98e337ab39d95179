"""The real process on a virtual board that outlives it: killed, unplugged, reset, stopped."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial

from printer_driver.client import SocketPrinter
from printer_driver.core.gcode.gcode_lines import numbered_line
from printer_driver.errors import PrinterUnavailable
from printer_driver.printer import Confirmation, Connection, PrintReport, PrintState
from printer_driver.prints.journal import (
    STOPPED_CANCELLED,
    Journal,
)
from printer_driver.prints.line_journal import (
    JournalledLines,
    LineJournal,
)
from tests.harness.patience import HANG_S
from tests.harness.virtual_printers import (
    Board,
    DriverRig,
    assert_executed_once,
    file_commands,
    is_at_it,
    sha256,
    until,
    until_over,
    until_ready,
    until_up,
)

pytestmark = pytest.mark.e2e

PIN = Path(__file__).parents[2] / "data" / "gcode" / "pin_mk3s.gcode"
P1 = "p1"
SPEED_UP = 40.0
NOTE = f" ; {'x' * 100}\n"
"""Makes a file longer than what is read ahead, and not its print."""


@pytest.fixture
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Board]:
    options = getattr(request, "param", ("baud=115200", "latency_ms=1"))
    board = Board(tmp_path, "boot_s=2", *options, speed_up=SPEED_UP)
    yield board
    board.close()


@pytest.fixture
def driver(board: Board, tmp_path: Path) -> Iterator[DriverRig]:
    driver = DriverRig(tmp_path, str(board.port))
    driver.start()
    driver.run(until_ready)
    yield driver
    driver.kill()


def begin(driver: DriverRig, path: Path = PIN, lines: int = 60) -> None:
    """Returns when so many lines are executed."""

    async def scenario(printer: SocketPrinter) -> None:
        await printer.start(P1, path, sha256(path))
        await until(printer, lambda x: is_at_it(x) and x.print.lines_done >= lines)

    driver.run(scenario)


def hang(driver: DriverRig, board: Board) -> None:
    """Returns when the board is as if dead."""

    async def scenario(printer: SocketPrinter) -> None:
        before, report = -1, await printer.report(P1)
        while report and report.lines_done != before:
            before = report.lines_done
            await asyncio.sleep(0.2)
            report = await printer.report(P1)

    board.cause("hang 100000")
    driver.run(scenario)


def on_disk(driver: DriverRig) -> JournalledLines:
    """What the next process would know of the print."""
    journalled = LineJournal(driver.folder / "journal.lines").recall(P1)
    assert journalled
    return journalled


def outcome(driver: DriverRig) -> PrintReport:
    return driver.run(lambda printer: until_over(printer, P1))


def assert_exact(driver: DriverRig, board: Board) -> None:
    report = outcome(driver)
    assert (report.state, report.reason) == (PrintState.DONE, "")
    assert report.lines_done == len(file_commands(PIN))
    assert report.bytes_done == report.bytes_total
    assert_executed_once(board.executed(), file_commands(PIN))


def assert_stopped(driver: DriverRig, board: Board, reason: str) -> None:
    report = outcome(driver)
    assert report.state is PrintState.FAILED
    assert reason in report.reason
    driver.run(until_ready)
    assert {"M104S0", "M140S0"} <= set(board.executed()[-6:])


def test_killed_again_and_again_it_goes_on_behind_the_last_line(
    driver: DriverRig, board: Board
) -> None:
    begin(driver)
    for _ in range(3):
        driver.kill()
        driver.start()
        driver.run(until_up)
        status = driver.run(lambda printer: printer.status())
        assert status.print
        assert status.print.lines_done >= 60
        driver.run(lambda printer: until(printer, lambda x: x.connection is Connection.READY))
    assert_exact(driver, board)


def test_the_cable_pulled_and_put_back(driver: DriverRig, board: Board) -> None:
    begin(driver)
    board.cause("unplug")
    status = driver.run(
        lambda printer: until(printer, lambda x: x.connection is Connection.OFFLINE)
    )
    assert "lost" in status.problem
    assert not status.print.state.is_final
    board.cause("plug")
    assert_exact(driver, board)


def test_pulled_and_killed_at_once(driver: DriverRig, board: Board) -> None:
    begin(driver)
    board.cause(f"unplug {2 * SPEED_UP}")
    driver.kill()
    driver.start()
    driver.run(until_up)
    assert_exact(driver, board)


def test_a_board_that_restarted_meanwhile_is_cooled(driver: DriverRig, board: Board) -> None:
    begin(driver)
    driver.kill()
    driver.start()
    driver.run(until_ready)  # it goes on, and is killed again
    driver.kill()
    board.cause("reset")
    driver.start()
    driver.run(until_up)
    assert_stopped(driver, board, "The printer process stopped in mid-print.")
    again = driver.run(lambda printer: printer.start(P1, PIN, sha256(PIN)))
    assert again.state is PrintState.FAILED
    assert 60 <= again.lines_done < len(file_commands(PIN))


def test_beside_one_that_nobody_knows_the_other_goes_on_warm(
    driver: DriverRig, board: Board, tmp_path: Path
) -> None:
    begin(driver)
    driver.kill()
    journal = Journal(tmp_path / "journal")
    (report,) = journal.load_open()
    unknown = replace(report, print_id="unknown")
    journal.begin(unknown, path=str(PIN), sha256=sha256(PIN), started_unix_s=1.0)
    driver.start()
    assert_exact(driver, board)


def test_a_board_that_restarts_after_it_was_asked_is_cooled(
    driver: DriverRig, board: Board
) -> None:
    begin(driver)
    driver.kill()
    driver.start()
    driver.run(lambda printer: until(printer, lambda x: "the print goes on" in x.problem))
    board.cause("reset")
    assert_stopped(driver, board, "has forgotten where it was")


def test_a_board_that_another_program_greeted_meanwhile_is_not_printed_on(
    driver: DriverRig, board: Board
) -> None:
    """Its line number was once this print's: the place would be the file's beginning."""
    begin(driver)
    driver.kill()
    with serial.Serial(str(board.port), 115200, timeout=5) as other:
        other.write(numbered_line(0, "M110 N0"))
        for number in range(1, 12):
            other.read_until(b"ok\n")
            other.write(numbered_line(number, "M113"))
        assert b"ok" in other.read_until(b"ok\n")
    driver.start()
    driver.run(until_up)
    assert_stopped(driver, board, "restarted, or another program used it")


def test_a_file_that_changed_meanwhile_is_not_printed_on(
    driver: DriverRig, board: Board, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.gcode"
    shutil.copy(PIN, copy)
    begin(driver, copy)
    driver.kill()
    copy.write_bytes(PIN.read_bytes() + b"G1 X0\n")
    driver.start()
    driver.run(until_up)
    assert_stopped(driver, board, "The file was changed in mid-print")


def test_a_file_that_gets_shorter_in_mid_print(
    driver: DriverRig, board: Board, tmp_path: Path
) -> None:
    long = tmp_path / "long.gcode"
    moves = "".join(f"G1 X{n % 100} Y{n % 90} F9000{NOTE}" for n in range(8_000))
    long.write_text(f"G90\nM83\nM104 S200\n{moves}")
    begin(driver, long)
    with long.open("rb+") as file:
        file.truncate(1000)
    assert_stopped(driver, board, "changed in mid-print")


def test_a_file_that_is_overwritten_in_mid_print(
    driver: DriverRig, board: Board, tmp_path: Path
) -> None:
    path = tmp_path / "overwritten.gcode"
    ours = "".join(f"G1 X{n % 100} Y10 F9000{NOTE}" for n in range(8_000))
    path.write_text(f"G90\nM83\nM104 S200\n{ours}")
    begin(driver, path)
    path.write_text(f"G90\nM83\nM104 S210\n{ours.replace('Y10', 'Y20')}")
    assert_stopped(driver, board, "changed in mid-print")
    assert not any("Y20" in command for command in board.executed())


def test_paused_it_comes_back_paused(driver: DriverRig, board: Board) -> None:
    begin(driver)

    async def pause(printer: SocketPrinter) -> None:
        await printer.pause(P1)
        await until(printer, lambda x: x.print.state is PrintState.PAUSED)
        await until(printer, lambda _: on_disk(driver).is_paused)

    driver.run(pause)
    driver.kill()
    driver.start()

    async def resume(printer: SocketPrinter) -> None:
        await until(
            printer,
            lambda x: x.connection is Connection.READY and x.print.state is PrintState.PAUSED,
        )
        await printer.resume(P1)

    driver.run(resume)
    assert_exact(driver, board)


def test_found_again_it_parks_as_before(board: Board, tmp_path: Path) -> None:
    driver = DriverRig(tmp_path, str(board.port), "--park=150,140")
    path = tmp_path / "moves.gcode"
    moves = "".join(f"G1 X{n % 100} Y{n % 90} E.01\n" for n in range(400))
    path.write_text(f"G90\nM83\nG92 X0 Y0 Z0 E0\nG1 Z1 F9000\n{moves}")
    driver.start()
    try:
        driver.run(until_ready)
        begin(driver, path)
        driver.kill()
        driver.start()

        async def pause_and_resume(printer: SocketPrinter) -> None:
            await until(printer, lambda x: x.connection is Connection.READY)
            await printer.pause(P1)
            await until(printer, lambda x: x.print.state is PrintState.PAUSED)
            assert any(command.startswith("G1X150Y140") for command in board.executed())
            await printer.resume(P1)

        driver.run(pause_and_resume)
        assert outcome(driver).state is PrintState.DONE
    finally:
        driver.kill()


def test_paused_while_the_cable_is_out_it_comes_back_paused(
    driver: DriverRig, board: Board
) -> None:
    """The first process has the print on record, the second only knows it from there."""
    begin(driver)
    board.cause("unplug")

    async def pause(printer: SocketPrinter) -> None:
        await until(printer, lambda x: x.connection is Connection.OFFLINE)
        await printer.pause(P1)

    async def resume_and_pause(printer: SocketPrinter) -> None:
        await until(printer, lambda x: x.print.state is PrintState.PAUSED)
        await printer.resume(P1)
        await printer.pause(P1)

    async def resume(printer: SocketPrinter) -> None:
        await until(
            printer,
            lambda x: x.connection is Connection.READY and x.print.state is PrintState.PAUSED,
        )
        await printer.resume(P1)

    for scenario in (pause, resume_and_pause):
        driver.run(scenario)
        driver.kill()
        driver.start()
        driver.run(until_up)
    board.cause("plug")
    driver.run(resume)
    assert_exact(driver, board)


def test_cancelled_and_killed_it_does_not_go_on(
    driver: DriverRig, board: Board, tmp_path: Path
) -> None:
    """The cancelled print waits for a command that the firmware does not break off."""
    waits = tmp_path / "waits.gcode"
    waits.write_text("G90\nM83\nG92 X0 Y0 Z0 E0\nG1 X10 F6000\nG4 S400\nG1 X20\n")

    async def cancel(printer: SocketPrinter) -> None:
        await printer.start(P1, waits, sha256(waits))
        await until(printer, lambda x: is_at_it(x) and x.print.lines_done >= 4)
        await printer.cancel(P1)

    driver.run(cancel)
    driver.kill()
    driver.start()
    report = outcome(driver)
    assert (report.state, report.reason) == (PrintState.CANCELLED, STOPPED_CANCELLED)
    driver.run(until_ready)
    assert "G1X20" not in board.executed()
    assert {"M104S0", "M140S0"} <= set(board.executed()[-6:])


def test_cancelled_while_the_cable_is_out(driver: DriverRig, board: Board) -> None:
    begin(driver)
    board.cause("unplug")

    async def cancel(printer: SocketPrinter) -> None:
        await until(printer, lambda x: x.connection is Connection.OFFLINE)
        await printer.cancel(P1)
        report = await printer.report(P1)
        assert report
        assert report.state is PrintState.CANCELLED
        with pytest.raises(PrinterUnavailable, match="by hand"):
            await printer.emergency_stop()

    driver.run(cancel)
    board.cause("plug")
    driver.run(until_ready)
    assert {"M104S0", "M140S0"} <= set(board.executed()[-6:])


@pytest.mark.parametrize("is_killed", [False, True])
def test_cancelled_while_the_cable_is_out_the_next_process_cools(
    driver: DriverRig, board: Board, *, is_killed: bool
) -> None:
    begin(driver)
    board.cause("unplug")

    async def cancel(printer: SocketPrinter) -> None:
        await until(printer, lambda x: x.connection is Connection.OFFLINE)
        await printer.cancel(P1)
        if is_killed:
            await until(printer, lambda _: on_disk(driver).is_cancelled)
        else:
            await printer.quit()

    driver.run(cancel)
    if not is_killed:
        assert driver.process.wait(HANG_S) == 0
    driver.kill()
    before = len(board.executed())
    driver.start()
    driver.run(until_up)  # it waits for the printer, though it has nothing to print
    driver.kill()
    board.cause("plug")
    for _ in range(2):  # the first has it cold, the second knows
        driver.start()
        driver.run(until_ready)
        assert outcome(driver).state is PrintState.CANCELLED
        executed = board.executed()
        driver.run(lambda printer: printer.quit())
        driver.process.wait(HANG_S)
    assert {"M104S0", "M140S0"} <= set(executed[before:])
    assert board.executed() == executed


@pytest.mark.parametrize("board", [(), ("emergency_parser",)], indirect=True)
def test_an_emergency_stop_is_confirmed_by_the_firmware(driver: DriverRig, board: Board) -> None:
    begin(driver)

    async def stop(printer: SocketPrinter) -> None:
        both = await asyncio.gather(printer.emergency_stop(), printer.emergency_stop())
        again = await printer.emergency_stop()  # a person presses it again
        assert {*both, again} == {Confirmation.BY_FIRMWARE}
        status = await printer.status()
        assert status.connection is Connection.HALTED

    driver.run(stop)
    assert outcome(driver).state is PrintState.FAILED


@pytest.mark.parametrize("board", [("resets_on_dtr",)], indirect=True)
def test_firmware_that_hangs_is_reset(driver: DriverRig, board: Board) -> None:
    begin(driver)
    hang(driver, board)

    async def stop(printer: SocketPrinter) -> None:
        assert await printer.emergency_stop() is Confirmation.BY_RESET
        await until_ready(printer)

    driver.run(stop)
    assert outcome(driver).state is PrintState.FAILED


@pytest.mark.parametrize("board", [()], indirect=True)
def test_a_board_that_neither_stops_nor_resets(driver: DriverRig, board: Board) -> None:
    begin(driver)
    hang(driver, board)
    assert driver.run(lambda printer: printer.emergency_stop()) is Confirmation.NONE


def test_trouble_leaves_a_serial_log_and_status_has_numbers(
    driver: DriverRig, board: Board, tmp_path: Path
) -> None:
    begin(driver)
    status = driver.run(lambda printer: printer.status())
    assert status.telemetry
    assert status.telemetry.lines_per_s > 0
    board.cause("say // action:prompt_begin Filament out")
    board.cause("say // action:prompt_choice Go on")
    board.cause("say // action:prompt_show")
    status = driver.run(lambda printer: until(printer, lambda x: x.question))
    assert (status.question.text, status.question.choices) == ("Filament out", ("Go on",))
    board.cause("unplug")
    log = tmp_path / "journal.serial.log"
    driver.run(lambda printer: until(printer, lambda _: log.exists() and log.stat().st_size > 0))
    assert " > N" in log.read_text("ascii")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (["pause"], PrintState.PAUSED),
        (["pause", "resume"], PrintState.PRINTING),
        (["cancel"], PrintState.CANCELLED),
    ],
)
def test_the_printers_own_panel_steers_the_print(
    driver: DriverRig, board: Board, said: list[str], state: PrintState
) -> None:
    begin(driver)
    for action in said:
        board.cause(f"say // action:{action}")
        if action == "pause":
            driver.run(lambda printer: until(printer, lambda x: x.print.state is PrintState.PAUSED))
    driver.run(lambda printer: until(printer, lambda x: x.print.state is state))
