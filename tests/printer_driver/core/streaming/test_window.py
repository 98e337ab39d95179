from printer_driver.core.streaming.window import BELIEVED_AFTER, CLEAN_LINES_TO_GROW, Window


def test_one_slot_stays_free_without_an_emergency_parser() -> None:
    window = Window()
    assert window.has_room(lines=2, line_bytes=60, added_bytes=30)
    assert not window.has_room(lines=3, line_bytes=60, added_bytes=30)
    window.set_limits(bufsize=4, rx_bytes=128, has_emergency_parser=True)
    assert window.has_room(lines=3, line_bytes=60, added_bytes=30)


def test_bytes_limit_it_too_but_one_line_always_goes() -> None:
    window = Window()
    assert not window.has_room(lines=1, line_bytes=90, added_bytes=38)
    assert window.has_room(lines=1, line_bytes=90, added_bytes=37)
    assert window.has_room(lines=0, line_bytes=0, added_bytes=500)


def test_an_error_shrinks_it_and_clean_lines_grow_it() -> None:
    window = Window()
    window.shrink()
    assert window.lines == 1
    for _ in range(CLEAN_LINES_TO_GROW):
        window.note_clean_line()
    assert window.lines == 2
    for _ in range(10 * CLEAN_LINES_TO_GROW):
        window.note_clean_line()
    assert window.lines == window.lines_max == 3


def test_advanced_ok_shows_a_larger_buffer_but_noise_does_not() -> None:
    window = Window()
    window.note_free_slots(93)
    for slots in (2, 7, 2, 7, 7):
        window.note_free_slots(slots)
    assert window.lines == 3
    for _ in range(BELIEVED_AFTER):
        window.note_free_slots(7)
    assert window.lines == 7


def test_it_does_not_grow_in_the_middle_of_trouble() -> None:
    window = Window()
    window.shrink()
    for _ in range(BELIEVED_AFTER):
        window.note_free_slots(7)
    assert window.lines == 1
