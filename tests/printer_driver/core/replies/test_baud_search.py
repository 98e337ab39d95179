import pytest

from printer_driver.core.replies.baud_search import (
    BAUDS,
    FIRST_TRY_S,
    TRY_S,
    BaudSearch,
    SetBaud,
    WriteProbe,
    beginning_with,
    is_firmware_talk,
)


def test_the_first_words_settle_it() -> None:
    search = BaudSearch(beginning_with(0), 0.0)
    search.tick(0.0)
    assert search.effects() == [SetBaud(baud=BAUDS[0]), WriteProbe(data=b"\nM105\n")]
    search.receive(b"\xfe\x80\x00ok T:21.0 /0.0\n", 0.1)
    before = search.found
    assert before is None
    search.receive(b"ok T:21.0 /0.0\n", 0.2)
    assert search.found == BAUDS[0]
    assert search.next_deadline_s() is None


def test_noise_leads_to_the_next_speed_and_round_again() -> None:
    search = BaudSearch((115200, 250000), 0.0)
    tried = []
    while search.rounds < 2:
        now_s = search.next_deadline_s()
        assert now_s is not None
        search.receive(b"\x9c\xff\n", now_s)
        tried += [x.baud for x in search.effects() if isinstance(x, SetBaud)]
    assert tried == [115200, 250000, 115200, 250000, 115200]
    assert now_s == pytest.approx(FIRST_TRY_S + 3 * TRY_S)


def test_what_worked_last_comes_first() -> None:
    assert beginning_with(57600)[:2] == (57600, 115200)
    assert sorted(beginning_with(57600)) == sorted(BAUDS)


@pytest.mark.parametrize("line", [b"start", b"ok", b"echo:busy: processing", b"T:20 /0"])
def test_firmware_talk(line: bytes) -> None:
    assert is_firmware_talk(line)


@pytest.mark.parametrize("line", [b"\xff\x00ok", b"AT+GMR", b"hello", b"ok\x07 T:1"])
def test_other_talk(line: bytes) -> None:
    assert not is_firmware_talk(line)
