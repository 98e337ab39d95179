import pytest

from printer_driver.core.gcode import numbered_line
from printer_driver.core.link import (
    CLEAN_LINES_TO_GROW,
    HISTORY_LINES_MAX,
    NUMBERS_APART,
    QUIET_S,
    RESENDS_MAX,
    STRANGE_RESENDS_MAX,
    WINDOW_MAX,
    LinkBrokenError,
    NumberedLink,
    Progress,
)
from printer_driver.core.replies import Ok
from printer_driver.printer import Temperature

WARM = Ok(temperatures=(Temperature(name="T0", actual_c=20, target_c=0),))


def greeted() -> NumberedLink:
    link = NumberedLink()
    link.hello()
    link.acknowledge(Ok())
    link.take_outgoing()
    return link


def send_moves(link: NumberedLink, first: int, last: int) -> None:
    for number in range(first, last + 1):
        link.send(f"G1 X{number}", Progress(lines=number), may_follow=True)


def refuse(link: NumberedLink, number: int, now_s: float = 0.0) -> None:
    link.heard(now_s, is_line_trouble=True, is_ok=False)
    link.refuse(number)


def test_hello_and_the_first_line() -> None:
    link = NumberedLink()
    link.hello()
    assert link.take_outgoing() == b"N0 M110 N0*125\n"
    assert [x.number for x in link.in_flight] == [0]
    link.acknowledge(Ok())
    assert link.is_idle
    link.send("G28", Progress())
    assert link.take_outgoing() == numbered_line(1, "G28")


def test_every_hello_starts_far_from_all_numbers_before() -> None:
    """A number near the firmware's own would be dropped without a word, were M110 lost."""
    link = greeted()
    for _ in range(3 * NUMBERS_APART):
        link.send("M105", Progress())
        link.acknowledge(WARM)
    link.hello()
    sent = link.take_outgoing().splitlines()[-1]
    assert int(sent[1:].split()[0]) > 3 * NUMBERS_APART + 100


def test_only_moves_follow_unacknowledged_lines() -> None:
    link = greeted()
    assert link.can_send("G1 X1", may_follow=True)
    send_moves(link, 1, WINDOW_MAX)
    assert not link.can_send("G1 X9", may_follow=True)
    assert link.can_send("M105", may_follow=True)
    link.acknowledge(Ok())
    assert link.can_send("G1 X9", may_follow=True)
    assert not link.can_send("M104 S0", may_follow=False)


def test_nothing_follows_a_command_that_is_no_move() -> None:
    link = greeted()
    link.send("M109 S200", Progress(), may_follow=True)
    assert not link.can_send("G1 X1", may_follow=True)


def test_a_refused_line_goes_again_when_the_wire_is_quiet() -> None:
    link = greeted()
    send_moves(link, 1, 3)
    link.take_outgoing()
    refuse(link, 2, now_s=5.0)
    link.acknowledge(Ok())  # the bare ok behind `Resend:`
    link.tick(5.0 + QUIET_S / 2)
    assert link.take_outgoing() == b""
    link.acknowledge(Ok())  # line 1, which was queued
    link.tick(5.0 + QUIET_S)
    assert link.take_outgoing() == numbered_line(2, "G1 X2")
    link.acknowledge(Ok())
    link.tick(6.0)
    assert link.take_outgoing() == numbered_line(3, "G1 X3")
    link.acknowledge(Ok())
    assert link.is_idle
    assert link.done.lines == 3


def test_the_window_shrinks_to_one_and_grows_with_clean_lines() -> None:
    link = greeted()
    send_moves(link, 1, 1)
    refuse(link, 1)
    link.tick(1.0)
    assert not link.can_send("G1 X2", may_follow=True)
    link.acknowledge(Ok())
    for number in range(2, CLEAN_LINES_TO_GROW + 2):
        send_moves(link, number, number)
        link.acknowledge(Ok())
    send_moves(link, 500, 500)
    assert link.can_send("G1 X2", may_follow=True)


def test_temperatures_show_which_acknowledgements_were_lost() -> None:
    link = greeted()
    send_moves(link, 1, 2)
    link.send("M105", Progress(lines=2))
    link.acknowledge(WARM)
    assert link.is_idle
    assert link.done.lines == 2


def test_advanced_ok_names_its_line() -> None:
    link = greeted()
    send_moves(link, 1, 3)
    link.acknowledge(Ok(line_number=2))
    assert [x.number for x in link.in_flight] == [3]


def test_strange_requests_are_forgiven_some_times() -> None:
    link = greeted()
    send_moves(link, 1, 1)
    for _ in range(STRANGE_RESENDS_MAX - 1):
        refuse(link, 77)
    with pytest.raises(LinkBrokenError, match="line 77"):
        refuse(link, 77)


def test_a_line_that_is_never_taken_breaks_the_link() -> None:
    link = greeted()
    send_moves(link, 1, 1)
    for attempt in range(RESENDS_MAX - 1):
        refuse(link, 1, float(attempt))
        link.tick(attempt + 0.5)
    with pytest.raises(LinkBrokenError, match="cable"):
        refuse(link, 1, float(RESENDS_MAX))


def test_the_history_is_bounded() -> None:
    link = greeted()
    for number in range(1, HISTORY_LINES_MAX * 2):
        send_moves(link, number, number)
        link.acknowledge(Ok())
    assert len(link._history) == HISTORY_LINES_MAX
