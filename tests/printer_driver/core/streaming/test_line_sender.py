import pytest

from printer_driver.core.gcode.gcode_lines import numbered_line
from printer_driver.core.replies.reply_parser import Ok
from printer_driver.core.streaming.line_sender import (
    FIRST_NUMBER,
    HISTORY_LINES_MAX,
    PLAIN_ANSWERS_MAX,
    QUIET_S,
    RESTART_AFTER_LINES,
    LineSender,
)
from printer_driver.core.streaming.resend_count import (
    RESENDS_MAX,
    STRANGE_RESENDS_MAX,
    WireBrokenError,
)
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    FilePlace,
)
from printer_driver.printer import Temperature

WARM = Ok(temperatures=(Temperature(name="T0", actual_c=20, target_c=0),))
OK = Ok()


def greeted() -> LineSender:
    link = LineSender()
    link.hello(0.0)
    link.acknowledge(OK, 0.0)
    link.take_outgoing()
    return link


def send_moves(link: LineSender, first: int, last: int, now_s: float = 0.0) -> None:
    for number in range(first, last + 1):
        link.send(f"G1 X{number}", FilePlace("p", number, 0), now_s, follows=True)


def numbers(link: LineSender) -> list[int | None]:
    """Of the lines in flight, counted from the greeting's."""
    return [x.number and x.number - FIRST_NUMBER for x in link.in_flight]


def line(number: int, command: str) -> bytes:
    """The line of this number, counted from the greeting's."""
    return numbered_line(FIRST_NUMBER + number, command)


def refuse(link: LineSender, number: int, now_s: float) -> None:
    """The firmware wants this line, counted from the greeting's, again."""
    link.refuse(FIRST_NUMBER + number, now_s)


def test_hello_and_the_first_line() -> None:
    link = LineSender()
    link.hello(0.0)
    assert link.take_outgoing() == line(0, "M110 N100")
    assert numbers(link) == [0]
    link.acknowledge(OK, 0.0)
    assert link.is_idle
    link.send("G28", NO_PLACE, 0.0, follows=False)
    assert link.take_outgoing() == line(1, "G28")


def test_every_hello_starts_far_from_the_numbers_before() -> None:
    """A number near the firmware's own would be dropped without a word, were M110 lost."""
    link = greeted()
    first = link._base
    link.hello(0.0)
    assert abs(link._base - first) >= 100


def test_only_lines_that_follow_are_sent_behind_others() -> None:
    link = greeted()
    assert link.has_room(20, follows=False)
    send_moves(link, 1, 2)
    assert not link.has_room(20, follows=False)
    assert link.has_room(20, follows=True)
    send_moves(link, 3, 3)
    assert not link.has_room(20, follows=True)
    link.acknowledge(OK, 0.0)
    assert link.has_room(20, follows=True)


def test_nothing_follows_a_line_that_goes_alone() -> None:
    link = greeted()
    link.send("M109 S200", NO_PLACE, 0.0, follows=False)
    assert not link.has_room(20, follows=True)
    link.acknowledge(OK, 0.0)
    assert link.has_room(20, follows=True)


def test_a_refused_line_goes_again_when_the_wire_is_quiet() -> None:
    link = greeted()
    send_moves(link, 1, 3)
    link.take_outgoing()
    refuse(link, 2, 5.0)
    link.acknowledge(OK, 5.0)  # the bare ok behind `Resend:`
    link.tick(5.0 + QUIET_S / 2)
    assert link.take_outgoing() == b""
    link.acknowledge(OK, 5.0)  # line 1, which was queued
    link.tick(5.0 + QUIET_S)
    assert link.take_outgoing() == line(2, "G1 X2")
    link.acknowledge(OK, 5.5)
    link.tick(6.0)
    assert link.take_outgoing() == line(3, "G1 X3")
    link.acknowledge(OK, 6.0)
    assert link.is_idle
    assert link.done.lines == 3
    assert (link.counters.resends, link.counters.lines_repeated) == (1, 2)


def test_a_lost_ok_of_an_earlier_line_does_not_hold_up_the_repetition() -> None:
    link = greeted()
    send_moves(link, 1, 2)
    link.take_outgoing()
    refuse(link, 2, 1.0)
    link.tick(1.0 + QUIET_S)
    assert link.take_outgoing() == line(2, "G1 X2")
    assert numbers(link) == [1, 2]


def test_lines_behind_a_refused_one_are_the_same_trouble() -> None:
    link = greeted()
    send_moves(link, 1, 3)
    for _ in range(RESENDS_MAX * 2):
        refuse(link, 1, 1.0)
    assert link.counters.resends == 1


def test_progress_falls_back_when_an_acknowledgement_was_not_true() -> None:
    link = greeted()
    send_moves(link, 1, 2)
    link.acknowledge(OK, 0.0)
    link.acknowledge(OK, 0.0)
    assert link.done.lines == 2
    refuse(link, 2, 1.0)
    assert link.done.lines == 1


def test_temperatures_show_which_acknowledgements_were_lost() -> None:
    link = greeted()
    send_moves(link, 1, 2)
    link.send("M105", FilePlace("p", 2, 0), 0.0, follows=True)
    link.acknowledge(WARM, 0.0)
    assert link.is_idle
    assert link.done.lines == 2
    assert link.counters.lost_oks == 2


def test_an_ok_without_temperatures_is_not_for_m105() -> None:
    link = greeted()
    link.send("M105", NO_PLACE, 0.0, follows=True)
    assert link.acknowledge(OK, 0.0) == 0
    assert link.counters.phantom_oks == 1
    assert not link.is_idle
    link.marks_temperatures = False
    link.acknowledge(OK, 0.0)
    assert link.is_idle


def test_acknowledgements_of_nothing_are_counted() -> None:
    link = greeted()
    for _ in range(1000):
        assert link.acknowledge(OK, 0.0) == 0
    assert link.counters.phantom_oks == 1000


def test_only_a_numbered_m105_proves_anything() -> None:
    link = greeted()
    send_moves(link, 1, 1)
    link.acknowledge(OK, 0.0)
    assert not link.is_proven
    link.send_unnumbered("M105", 0.0)
    link.acknowledge(WARM, 0.0)
    assert not link.is_proven
    link.send("M105", NO_PLACE, 0.0, follows=True)
    link.acknowledge(WARM, 0.0)
    assert link.is_proven


def test_advanced_ok_names_its_line() -> None:
    link = greeted()
    send_moves(link, 1, 3)
    link.acknowledge(Ok(line_number=FIRST_NUMBER + 2), 0.0)
    assert numbers(link) == [3]


def test_wait_acknowledges_all() -> None:
    link = greeted()
    send_moves(link, 1, 3)
    link.acknowledge_all()
    assert link.is_idle
    assert link.done.lines == 3


def long_session(link: LineSender) -> None:
    """Up to where the numbering begins anew."""
    for _ in range(RESTART_AFTER_LINES):
        send_moves(link, 7, 7)
        link.acknowledge(OK, 0.0)
    link.take_outgoing()


def test_the_numbering_begins_anew_only_behind_a_proof() -> None:
    link = greeted()
    long_session(link)
    assert not link.has_room(20, follows=True)
    link.tick(0.0)
    assert link.take_outgoing() == line(1001, "M105")
    link.acknowledge(WARM, 0.0)
    link.tick(0.0)
    assert link.take_outgoing() == line(0, "M110 N100")
    link.acknowledge(OK, 0.0)
    assert link.done.lines == 7
    send_moves(link, 8, 8)
    assert link.take_outgoing() == line(1, "G1 X8")


def test_a_lost_new_beginning_is_said_again() -> None:
    link = greeted()
    long_session(link)
    link.tick(0.0)
    link.acknowledge(WARM, 0.0)
    link.tick(0.0)
    link.acknowledge(OK, 0.0)  # of something else
    send_moves(link, 8, 8)
    link.take_outgoing()
    refuse(link, 1002, 1.0)  # the firmware still counts as before
    link.tick(2.0)
    assert link.take_outgoing() == line(0, "M110 N100")
    link.acknowledge(OK, 2.0)
    link.tick(2.0)
    assert link.take_outgoing() == line(1, "G1 X8")


def test_strange_requests_are_forgiven_some_times() -> None:
    link = greeted()
    send_moves(link, 1, 1)
    for _ in range(STRANGE_RESENDS_MAX - 1):
        refuse(link, 77, 0.0)
    with pytest.raises(WireBrokenError, match=f"line {FIRST_NUMBER + 77}"):
        refuse(link, 77, 0.0)


def test_a_line_that_is_never_taken_breaks_the_link() -> None:
    link = greeted()
    send_moves(link, 1, 1)
    for attempt in range(RESENDS_MAX - 1):
        refuse(link, 1, float(attempt))
        link.tick(attempt + 0.5)
    with pytest.raises(WireBrokenError, match="cable"):
        refuse(link, 1, float(RESENDS_MAX))


def test_the_history_is_bounded() -> None:
    link = greeted()
    for number in range(1, HISTORY_LINES_MAX * 2):
        send_moves(link, number, number)
        link.acknowledge(OK, 0.0)
    assert len(link._history) <= HISTORY_LINES_MAX + 1


def test_only_what_goes_out_for_the_first_time_is_fresh() -> None:
    link = greeted()
    assert [x.command for x in link.take_fresh()] == ["M110 N100"]
    send_moves(link, 1, 2)
    link.send_unnumbered("M108", 0.0)
    assert [(x.command, x.progress.lines) for x in link.take_fresh()] == [
        ("G1 X1", 1),
        ("G1 X2", 2),
    ]
    assert link.last_number == FIRST_NUMBER + 2
    link.take_outgoing()
    refuse(link, 1, 1.0)
    link.tick(2.0)
    assert b"G1 X1" in link.take_outgoing()
    assert link.take_fresh() == []


def test_an_empty_line_that_would_be_answered_is_not_sent() -> None:
    link = greeted()
    link.send_unnumbered("M105", 0.0)
    assert link.take_outgoing() == b"\nM105\n"
    link.answers_empty_lines = True
    link.send_unnumbered("M105", 0.0)
    assert link.take_outgoing() == b"M105\n"


def test_an_acknowledgement_said_twice_is_one() -> None:
    link = greeted()
    send_moves(link, 1, 3)
    assert link.acknowledge(Ok(line_number=FIRST_NUMBER + 1), 1.0) == 1
    assert link.acknowledge(Ok(line_number=FIRST_NUMBER + 1), 1.0) == 0
    assert link.counters.phantom_oks == 1
    assert link.acknowledge(Ok(line_number=9999), 1.0) == 1  # noise in the number


def test_firmware_that_never_tells_temperatures_keeps_long_numbers() -> None:
    link = greeted()
    for number in range(1, RESTART_AFTER_LINES + 50):
        link.tick(1.0)
        while not link.is_idle:
            link.acknowledge_all()
            link.tick(1.0)
        link.send(f"G1 X{number}", NO_PLACE, 1.0, follows=True)
    assert link.last_number > FIRST_NUMBER + RESTART_AFTER_LINES


def test_temperatures_that_noise_joined_to_one_ok_are_soon_expected_apart_again() -> None:
    link = greeted()
    counts = []
    for _ in range(PLAIN_ANSWERS_MAX + 1):
        link.send_unnumbered("M105", 0.0)
        counts.append(link.acknowledge(OK, 0.0))
    assert counts == [*[0] * PLAIN_ANSWERS_MAX, 1]


def test_an_ok_too_many_now_and_then_does_not_change_what_answers_look_like() -> None:
    link = greeted()
    for _ in range(10 * PLAIN_ANSWERS_MAX):
        link.send("M105", NO_PLACE, 0.0, follows=True)
        link.acknowledge(OK, 0.0)
        link.acknowledge(WARM, 0.0)
    assert link.marks_temperatures
    link.send("M105", NO_PLACE, 0.0, follows=True)
    for _ in range(10 * PLAIN_ANSWERS_MAX):
        link.acknowledge(OK, 0.0)
    assert link.marks_temperatures


def test_of_questions_alone_the_newest_answer_stands_for_all() -> None:
    link = greeted()
    link.marks_temperatures = False
    send_moves(link, 1, 1)
    for _ in range(2):
        link.send_unnumbered("M105", 0.0)
    assert not link.acknowledge_questions()
    link.acknowledge(OK, 0.0)
    link.send_unnumbered("M105", 0.0)
    assert not link.acknowledge_questions()  # the newest has no answer yet
    link.acknowledge(OK, 0.0)
    assert link.acknowledge_questions()
    assert link.is_idle


def test_a_move_in_flight_may_still_be_made() -> None:
    link = greeted()
    link.marks_temperatures = False
    send_moves(link, 1, 2)
    link.send_unnumbered("M105", 0.0)
    link.acknowledge(OK, 0.0)
    assert not link.acknowledge_questions()
    assert len(link.in_flight) == 2
