from printer_driver.core.gcode.command_kinds import CommandKind
from printer_driver.core.streaming.acknowledgement_watch import (
    PATIENCE_S,
    SILENCE_S_MAX,
    AcknowledgementWatch,
)


def due(
    watch: AcknowledgementWatch, kinds: list[CommandKind], now_s: float, moving_until_s: float = 0.0
) -> bool:
    return watch.is_probe_due(kinds, moving_until_s, now_s)


def test_idle_firmware_is_asked_within_half_a_second() -> None:
    watch = AcknowledgementWatch()
    watch.note_life(10.0)
    assert not due(watch, [CommandKind.QUICK], 10.4)
    assert due(watch, [CommandKind.QUICK], 10.0 + PATIENCE_S)


def test_unanswered_it_is_asked_less_and_less() -> None:
    watch = AcknowledgementWatch()
    watch.note_life(0.0)
    asked = [now_s / 10 for now_s in range(100) if due(watch, [CommandKind.MOVE], now_s / 10)]
    assert asked == [0.5, 1.0, 1.5, 2.0, 4.0, 8.0]


def test_the_moves_are_waited_for_once_not_with_every_probe() -> None:
    """Else two damaged probes behind 0.7 s of moves are a standstill of over 2 s."""
    watch = AcknowledgementWatch()
    watch.note_busy(-9.0, 1.0)
    watch.note_life(0.0)
    times_s = [tenth / 10 for tenth in range(1, 30)]
    asked = [x for x in times_s if due(watch, [CommandKind.MOVE], x, moving_until_s=0.7)]
    assert asked == [1.2, 1.7, 2.2, 2.7]


def test_moving_firmware_is_left_alone_until_it_should_have_said_busy() -> None:
    watch = AcknowledgementWatch()
    watch.note_busy(0.0, 1.0)
    watch.note_life(1.0)
    assert not due(watch, [CommandKind.MOVE], 2.2, moving_until_s=60.0)
    assert due(watch, [CommandKind.MOVE], 2.4, moving_until_s=60.0)


def test_busy_and_heating_firmware_is_not_asked() -> None:
    watch = AcknowledgementWatch()
    for second in range(100):
        watch.note_busy(float(second), 1.0)
        assert not due(watch, [CommandKind.HEATING], second + 0.9)
    assert due(watch, [CommandKind.HEATING], 99 + 1.4)


def test_firmware_without_keepalive_gets_longer() -> None:
    watch = AcknowledgementWatch()
    watch.note_life(0.0)
    assert not due(watch, [CommandKind.LONG], 5.9)
    assert due(watch, [CommandKind.LONG], 6.0)


def test_it_is_dead_after_ten_minutes() -> None:
    watch = AcknowledgementWatch()
    watch.note_life(5.0)
    assert not watch.is_dead(SILENCE_S_MAX)
    assert watch.is_dead(5.0 + SILENCE_S_MAX)
