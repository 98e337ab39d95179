import pytest
from octoprint_crdtqueue import bed_report
from octoprint_crdtqueue.bed_report import (
    KEEP_S,
    RETRY_S,
    BedReport,
    BedReportState,
    BedSaidClear,
    BedSaidClearUnwatched,
    Drop,
    Effect,
    Event,
    FilamentLaid,
    PeerAnswered,
    PrintBegan,
    PrintOver,
    TellPeer,
)

from printer_driver.core.gcode import gcode_lines
from printer_driver.core.replies import reported_state

IN_PRINT, AT_REST = BedSaidClear(in_print=True), BedSaidClear(in_print=False)
DONE, FAILED = PrintOver(done=True), PrintOver(done=False)
TELL = [TellPeer()]
NOT_YET = PeerAnswered(reason="The printer is printing.")


def after(bed: BedReport, *events: Event, now_s: float = 0.0) -> list[Effect]:
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
    assert after(BedReport(), *events) == effects


class Comm:
    """OctoPrint's connection, as far as a print says what it is."""

    def __init__(self, *, busy: bool) -> None:
        self._busy = busy

    def isBusy(self) -> bool:  # noqa: N802  # OctoPrint's name
        return self._busy


class CommOfCard(Comm):
    def __init__(self, *, busy: bool, card: bool) -> None:
        super().__init__(busy=busy)
        self._card = card

    def isSdFileSelected(self) -> bool:  # noqa: N802  # OctoPrint's name
        return self._card


@pytest.mark.parametrize(
    ("comm", "event"),
    [
        (CommOfCard(busy=False, card=False), AT_REST),
        (CommOfCard(busy=False, card=True), AT_REST),
        (CommOfCard(busy=True, card=False), IN_PRINT),
        (CommOfCard(busy=True, card=True), BedSaidClearUnwatched()),
        (Comm(busy=False), AT_REST),
        (Comm(busy=True), BedSaidClearUnwatched()),
    ],
)
def test_what_it_means_depends_on_the_print(comm: Comm, event: Event) -> None:
    assert bed_report.said_to(comm) == event


def test_within_a_print_from_the_card_it_does_not_count() -> None:
    bed = BedReport()
    assert after(bed, PrintBegan(), BedSaidClearUnwatched()) == [Drop(reason=bed_report.FROM_CARD)]
    assert after(bed, DONE) == []


def test_a_word_that_waits_survives_one_from_the_card() -> None:
    bed = BedReport()
    after(bed, AT_REST, NOT_YET, PrintBegan(), NOT_YET)
    after(bed, BedSaidClearUnwatched())
    assert bed.word is BedReportState.LAST_CALL


def test_told_once() -> None:
    bed = BedReport()
    assert after(bed, AT_REST) == TELL
    assert after(bed, PeerAnswered()) == []
    assert (bed.word, bed.next_deadline_s()) == (BedReportState.NONE, None)
    assert after(bed, now_s=10 * KEEP_S) == []


def test_a_peer_that_cannot_take_it_yet_is_asked_again_and_not_for_ever() -> None:
    bed = BedReport()
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
    bed = BedReport()
    assert after(bed, IN_PRINT, DONE) == TELL
    assert after(bed, NOT_YET) == []
    assert after(bed, PrintBegan()) == TELL
    assert after(bed, PeerAnswered(), DONE) == []


def test_it_never_outlives_the_next_print() -> None:
    bed = BedReport()
    after(bed, AT_REST, NOT_YET, PrintBegan(), NOT_YET)
    (dropped,) = after(bed, DONE)
    assert isinstance(dropped, Drop)
    assert after(bed, now_s=RETRY_S) == []


def test_the_next_print_may_say_it_for_itself() -> None:
    bed = BedReport()
    after(bed, AT_REST, NOT_YET, PrintBegan(), NOT_YET, IN_PRINT)
    assert after(bed, DONE) == TELL


def test_it_is_heard_as_without_octoprint() -> None:
    assert bed_report.SPELLINGS == reported_state.BED_CLEAR_SPELLINGS
    assert bed_report.says_bed_is_clear("Bed_Clear")
    assert not bed_report.says_bed_is_clear("clear_bed")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("G1 X1 E1", True),
        ("G1 Y1E.1", True),
        ("g1 x1 e1", True),
        ("G 01 X1 E1", True),
        ("G5 I0 J3 P0 Q-3 X1 Y1 E1", True),
        ("G2 I10 E5", True),
        ("G1 X1 E-1", False),
        ("G1 E1", False),
        ("G1 X1", False),
        ("G28 X", False),
        ("M104 S1", False),
        ("G10XE1", False),
        ("G53 X1 E1", False),
    ],
)
def test_filament_is_seen_as_without_octoprint(command: str, *, expected: bool) -> None:
    assert bed_report.lays_filament(command) is expected
    assert gcode_lines.lays_filament(command) is expected
