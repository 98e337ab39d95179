"""Kills the printer process and pulls its cable in mid-print, by hand and for as long as you like.

`python -m tests.simulation.kill_storm --rounds 40 --seed 1`. Every round prints a real file on a
virtual board that lives in a process of its own. Either the board has then executed exactly the
file, or the print was stopped, cooled and reported with a reason.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from printer_driver.printer import PrintReport, PrintState
from tests.harness.virtual_printers import (
    Board,
    DriverRig,
    assert_executed_once,
    file_commands,
    sha256,
    until_over,
    until_ready,
    until_up,
)

GCODE = Path(__file__).parents[1] / "data" / "gcode"
FILES = ("pin_ender3.gcode", "pin_mk3s.gcode")
P1 = "p1"
WIRES = ((), ("baud=115200", "latency_ms=1"), ("baud=250000", "latency_ms=4"))
BOARDS = ((), ("advanced_ok",), ("rx_bytes=128",), ("emergency_parser",))
NOISE = ((), ("flips_to_printer=2e-4",), ("flips_to_host=2e-4",), ("drops_to_printer=1e-4",))
BLOWS_MAX = 6
SPEED_UP = 25.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What one round did and how it ended."""

    report: PrintReport
    blows: tuple[str, ...]
    options: tuple[str, ...]
    seconds: float


def play(folder: Path, chance: random.Random, kinds: tuple[str, ...], *, noisy: bool) -> Round:
    """One print under blows. Raises AssertionError when it is neither exact nor stopped."""
    options = (*chance.choice(WIRES), *chance.choice(BOARDS), "boot_s=2")
    if noisy:
        options = (*options, *chance.choice(NOISE), f"seed={chance.randrange(1 << 30)}")
    path = GCODE / chance.choice(FILES)
    board = Board(folder, *options, speed_up=SPEED_UP)
    baud = chance.choice(("auto", _baud(options)))
    driver = DriverRig(folder, str(board.port), "--serial-log", "all", "--baud", baud)
    started_s = time.monotonic()
    blows: list[str] = []
    try:
        driver.start()
        driver.run(until_ready)
        driver.run(lambda printer: printer.start(P1, path, sha256(path)))
        while len(blows) < BLOWS_MAX and not _is_over(driver):
            time.sleep(chance.expovariate(1 / 0.8))
            blows.append(chance.choice(kinds))
            _strike(blows[-1], board, driver, chance)
        report = driver.run(lambda printer: until_over(printer, P1, 120))
        _judge(report, board, path)
        driver.run(until_ready)
        return Round(
            report=report,
            blows=tuple(blows),
            options=(*options, f"speed {baud}"),
            seconds=time.monotonic() - started_s,
        )
    finally:
        driver.kill()
        board.close()


def _baud(options: tuple[str, ...]) -> str:
    said = [option.removeprefix("baud=") for option in options if option.startswith("baud=")]
    return said[0] if said else "115200"


def _is_over(driver: DriverRig) -> bool:
    report = driver.run(lambda printer: printer.report(P1))
    return report is not None and report.state.is_final


def _strike(blow: str, board: Board, driver: DriverRig, chance: random.Random) -> None:
    if blow in ("kill", "kill_unplugged"):
        driver.kill()
    if blow in ("unplug", "kill_unplugged"):
        # Printer's seconds; the board brings the cable back by itself.
        board.cause(f"unplug {chance.uniform(0.1, 2.0) * SPEED_UP:.1f}")
    if blow == "reset":
        board.cause("reset")
    if blow in ("kill", "kill_unplugged"):
        time.sleep(chance.choice((0.0, 0.0, 0.5)))
        driver.start()
        driver.run(until_up)


def _judge(report: PrintReport, board: Board, path: Path) -> None:
    executed = board.executed()
    if report.state is PrintState.DONE:
        assert_executed_once(executed, file_commands(path))
        assert report.lines_done == len(file_commands(path))
        return
    assert report.state is PrintState.FAILED
    assert report.reason
    end_s = time.monotonic() + 20
    while not {"M104S0", "M140S0"} <= set(executed[-8:]):
        assert time.monotonic() < end_s, f"not cooled: {executed[-8:]}"
        time.sleep(0.1)
        executed = board.executed()


def main() -> int:
    """Rounds until one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noisy", action="store_true")
    parser.add_argument("--blows", default="kill,unplug,kill_unplugged")
    given = parser.parse_args()
    ends: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    for number in range(given.rounds):
        seed = given.seed + number
        folder = Path(tempfile.mkdtemp(prefix="kill-storm-"))
        try:
            played = play(
                folder, random.Random(seed), tuple(given.blows.split(",")), noisy=given.noisy
            )
        except AssertionError as error:
            print(f"seed {seed}: {error}\n  see {folder}")
            return 1
        ends[f"{played.report.state} {played.report.reason}"] += 1
        struck.update(played.blows)
        print(
            f"seed {seed}: {played.report.state} in {played.seconds:.1f} s after "
            f"{' '.join(played.blows)} on {' '.join(played.options)} {played.report.reason}",
            flush=True,
        )
    print(f"\n{sum(struck.values())} blows: {dict(struck)}")
    for end, count in ends.most_common():
        print(f"{count:5} {end}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
