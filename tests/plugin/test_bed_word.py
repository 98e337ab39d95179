import pytest
from octoprint_crdtqueue import bed_word
from octoprint_crdtqueue.bed_word import (
    KEEP_S,
    RETRY_S,
    Answered,
    BedWord,
    Drop,
    Effect,
    Event,
    FilamentLaid,
    PrintBegan,
    PrintOver,
    Said,
    TellPeer,
    Word,
)

from printer_driver.core import gcode, voice

IN_PRINT, AT_REST = Said(in_print=True), Said(in_print=False)
DONE, FAILED = PrintOver(done=True), PrintOver(done=False)
TELL = [TellPeer()]
NOT_YET = Answered(reason="The printer is printing.")


def after(bed: BedWord, *events: Event, now_s: float = 0.0) -> list[Effect]:
    for event in events:
        bed.receive(event, now_s)
    bed.tick(now_s)
    return list(bed.effects())


@pytest.mark.parametrize(
    ("events", "effects"),
    [
        ([AT_REST], TELL),
        ([AT_REST, AT_REST], TELL),
        ([AT_REST, FAILED], TELL),
        ([PrintBegan(), IN_PRINT], []),
        ([PrintBegan(), IN_PRINT, IN_PRINT, DONE], TELL),
        ([PrintBegan(), IN_PRINT, FAILED], []),
        ([PrintBegan(), IN_PRINT, FilamentLaid(), DONE], []),
        ([PrintBegan(), IN_PRINT, FilamentLaid(), IN_PRINT, DONE], TELL),
        ([IN_PRINT, PrintBegan(), DONE], []),
        ([PrintBegan(), FilamentLaid(), DONE], []),
    ],
)
def test_when_the_word_is_passed_on(events: list[Event], effects: list[Effect]) -> None:
    assert after(BedWord(), *events) == effects


def test_told_once() -> None:
    bed = BedWord()
    assert after(bed, AT_REST) == TELL
    assert after(bed, Answered()) == []
    assert (bed.word, bed.next_deadline_s()) == (Word.NONE, None)
    assert after(bed, now_s=10 * KEEP_S) == []


def test_a_peer_that_cannot_take_it_yet_is_asked_again_and_not_for_ever() -> None:
    bed = BedWord()
    assert after(bed, AT_REST) == TELL
    asked, now_s = 1, 0.0
    while (due_s := bed.next_deadline_s()) is not None:
        bed.receive(NOT_YET, now_s)
        assert due_s <= now_s + RETRY_S
        now_s = due_s
        effects = after(bed, now_s=now_s)
        asked += len(effects)
    assert now_s == KEEP_S
    assert asked == KEEP_S / RETRY_S + 1
    assert isinstance(effects[0], Drop)
    assert "The printer is printing." in effects[0].reason


def test_a_script_of_the_peers_may_begin_before_the_peer_takes_it() -> None:
    bed = BedWord()
    assert after(bed, IN_PRINT, DONE) == TELL
    assert after(bed, NOT_YET) == []
    assert after(bed, PrintBegan()) == TELL
    assert after(bed, Answered(), DONE) == []


def test_it_never_outlives_the_next_print() -> None:
    bed = BedWord()
    after(bed, AT_REST, NOT_YET, PrintBegan(), NOT_YET)
    (dropped,) = after(bed, DONE)
    assert isinstance(dropped, Drop)
    assert after(bed, now_s=RETRY_S) == []


def test_the_next_print_may_say_it_for_itself() -> None:
    bed = BedWord()
    after(bed, AT_REST, NOT_YET, PrintBegan(), NOT_YET, IN_PRINT)
    assert after(bed, DONE) == TELL


def test_it_is_heard_as_without_octoprint() -> None:
    assert bed_word.SPELLINGS == voice.BED_CLEAR_SPELLINGS
    assert bed_word.says_bed_is_clear("Bed_Clear")
    assert not bed_word.says_bed_is_clear("clear_bed")


@pytest.mark.parametrize(
    "command", ["G1 X1 E1", "G1 Y1E.1", "G1 X1 E-1", "G1 E1", "G1 X1", "G28 X", "M104 S1", "G10XE1"]
)
def test_filament_is_seen_as_without_octoprint(command: str) -> None:
    assert bed_word.lays_filament(command) is gcode.lays_filament(command)
