from math import inf

import pytest

from printer_driver.virtual.firmware_commands import (
    AUTOREPORT_S_MAX,
    HOMING_S,
    KEEPALIVE_S_MAX,
    Answered,
    Commands,
    Done,
    FirmwareWait,
    Habits,
    Halts,
    Outcome,
    Waits,
)
from printer_driver.virtual.firmware_machine import (
    HeaterName,
    Machine,
)
from printer_driver.virtual.heaters import HeaterFault
from printer_driver.virtual.virtual_dialects import FirmwareSetup


class Bench:
    def __init__(self) -> None:
        self.machine = Machine(FirmwareSetup())
        self.habits = Habits()
        self.commands = Commands(FirmwareSetup(), self.machine, self.habits)

    def do(self, command: str, now_s: float = 0.0) -> Outcome:
        return self.commands.execute(command.partition(" ")[0], command, now_s)


def test_what_moves_waits_for_what_was_planned() -> None:
    bench = Bench()
    bench.machine.motion.plan("G1 X10 F600", 0.0)
    still_s = bench.machine.motion.last_end_s(0.0)
    assert bench.do("M400") == Waits(wait=FirmwareWait.BUSY, until_s=still_s)
    assert bench.do("G4 P500") == Waits(wait=FirmwareWait.BUSY, until_s=still_s + 0.5)
    assert bench.do("G28") == Waits(wait=FirmwareWait.BUSY, until_s=still_s + HOMING_S)
    assert bench.machine.motion.position[0] == 0.0


def test_a_wait_for_a_heater_follows_its_health() -> None:
    bench = Bench()
    waits = bench.do("M190 R61")
    assert waits == Waits(
        wait=FirmwareWait.HEATING, until_s=20.0, heater=HeaterName.BED, also_cooling=True
    )
    bench.machine.break_heater(HeaterName.BED, HeaterFault.CUT, 5.0)
    assert isinstance(waits, Waits)
    assert bench.commands.until_heated(waits, 5.0).until_s == inf
    assert bench.do("M140 S0") == Done()


@pytest.mark.parametrize(
    ("command", "habit", "value"),
    [
        ("M113 S5", "keepalive_s", 5.0),
        ("M113 S0", "keepalive_s", inf),
        ("M113 S999", "keepalive_s", KEEPALIVE_S_MAX),
        ("M155 S2", "report_at_s", 12.0),
        ("M155 S0", "report_at_s", inf),
        ("M155 S999", "autoreport_s", AUTOREPORT_S_MAX),
        ("M85 S30", "inactivity_s", 30.0),
        ("M85 S0", "inactivity_s", inf),
    ],
)
def test_habits(command: str, habit: str, value: float) -> None:
    bench = Bench()
    assert bench.do(command, now_s=10.0) == Done()
    assert getattr(bench.habits, habit) == value


def test_answers() -> None:
    bench = Bench()
    assert bench.do("M105") == Answered(line="ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0")
    assert bench.do("M118 hello") == Done(lines=("hello",))
    assert bench.do("M118 A1 action:bed_clear") == Done(lines=("//action:bed_clear",))
    assert bench.do("M118 P0 E1 Apples") == Done(lines=("echo:Apples",))
    assert bench.do("M118") == Done(lines=("",))
    assert bench.do("M113") == Done(lines=("echo:M113 S2",))
    assert bench.do("M117 hello") == Done()
    assert bench.do("M12345") == Done(lines=('echo:Unknown command: "M12345"',))
    assert bench.do("M112") == Halts()
    assert bench.do("M0") == Waits(wait=FirmwareWait.USER, until_s=inf)
    assert bench.do("M0 S3", now_s=1.0) == Waits(wait=FirmwareWait.USER, until_s=4.0)
