from printer_driver.core.replies.reply_parser import Ok
from printer_driver.core.streaming.idle_commands import (
    MANUAL_COMMANDS_MAX,
    POLL_S,
    IdleCommands,
)
from printer_driver.core.streaming.line_sender import LineSender


def greeted() -> LineSender:
    lines = LineSender()
    lines.hello(0.0)
    lines.acknowledge(Ok(), 0.0)
    lines.take_outgoing()
    return lines


def test_one_command_after_the_other_then_temperatures() -> None:
    lines = greeted()
    idle_commands = IdleCommands(lines)
    assert list(idle_commands.take(("G28", "; nothing", "M18"), is_busy=False)) == []
    sent = []
    for moment_s in (0.0, 0.1, POLL_S, POLL_S * 2):
        idle_commands.go_on(moment_s)
        sent += [line.command for line in lines.in_flight]
        lines.acknowledge_all()
    assert sent == ["G28", "M18", "M105", "M105"]


def test_what_is_not_sent_is_said() -> None:
    idle_commands = IdleCommands(greeted())
    assert "busy" in next(idle_commands.take(("G28",), is_busy=True))
    assert "cannot be sent" in next(idle_commands.take(("G1 X\u00fc",), is_busy=False))
    notes = list(idle_commands.take(("M18",) * (MANUAL_COMMANDS_MAX + 1), is_busy=False))
    assert len(notes) == 1


def test_a_print_forgets_them() -> None:
    lines = greeted()
    idle_commands = IdleCommands(lines)
    list(idle_commands.take(("G28", "M18"), is_busy=False))
    (note,) = idle_commands.drop()
    assert "2 commands, from G28 on" in note
    assert not list(idle_commands.drop())
    idle_commands.go_on(0.0)
    assert [line.command for line in lines.in_flight] == ["M105"]
