"""Decides when the printer's report of a clear bed is passed on. Pure: no thread, no network.

Between two prints a report is valid at once. Within a print it is valid once that print is done,
since a file may take its own part off; but not if filament is laid afterwards, or the print fails.
So it is never valid within a print from the printer's SD card, whose lines OctoPrint does not see.

The peer refuses the report while it has not recorded the print, so it is asked again. The next
print may be a script of the peer, during which the report is still valid. When that print is over,
it is too late.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

SPELLINGS = ("bed_clear", "bed-clear", "bedclear", "bed_cleared")
"""The names of the `// action:` command; the same as without OctoPrint (docs/printing.md)."""
KEEP_S = 300.0
"""How long the peer is asked to take it; it may be starting, or still be writing the print down."""
RETRY_S = 2.0
FROM_CARD = "the print is from the printer's SD card, which may lay filament unseen"

_LAYS_FILAMENT = re.compile(
    r"G\s*0*(?:[0-3]|5)(?![\d.])(?=.*[XYIJ])(?=.*E\s*\+?[\d.])", re.IGNORECASE
)


def says_bed_is_clear(action: str) -> bool:
    """Whether the name of an action means it, in any case."""
    return action.lower() in SPELLINGS


def lays_filament(command: str) -> bool:
    """Whether a command moves along the bed and extrudes; a retraction on the way does not."""
    return _LAYS_FILAMENT.match(command) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class BedSaidClear:
    """The printer reports a clear bed; `in_print` while something is printed, pauses included."""

    in_print: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BedSaidClearUnwatched:
    """The printer reports a clear bed within a print whose filament OctoPrint does not see."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintBegan:
    """A print has begun, whoever started it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilamentLaid:
    """The print lays filament."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintOver:
    """The print is over; `done` unless it failed or was cancelled."""

    done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerAnswered:
    """The answer of the peer: done, or a sentence in `reason`, why not yet."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TellPeer:
    """Tell the peer; report `PeerAnswered`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop:
    """The report was not passed on; for the log."""

    reason: str


Event: TypeAlias = (
    BedSaidClear | BedSaidClearUnwatched | PrintBegan | FilamentLaid | PrintOver | PeerAnswered
)
Effect: TypeAlias = TellPeer | Drop


def said_to(comm: Any) -> BedSaidClear | BedSaidClearUnwatched:
    """What it means that OctoPrint's `MachineCom` hears the word now.

    `isSdPrinting` is false while a print from the card is paused or cancelled: the file counts.
    Where `comm` does not tell, the print is taken for one from the card.
    """
    if not comm.isBusy():
        return BedSaidClear(in_print=False)
    is_from_card = getattr(comm, "isSdFileSelected", None)
    if is_from_card is None or is_from_card():
        return BedSaidClearUnwatched()
    return BedSaidClear(in_print=True)


class BedReportState(Enum):
    """The states of a report."""

    NONE = "none"
    IN_PRINT = "in print"
    """It holds if that print is done."""
    DUE = "due"
    """To be passed on."""
    LAST_CALL = "last call"
    """To be passed on before the print that has begun since is over."""


_WAITING = (BedReportState.DUE, BedReportState.LAST_CALL)


class BedReport:
    """At most one report is kept: a second one means the same."""

    def __init__(self) -> None:
        self.word = BedReportState.NONE
        self._ask_at_s = 0.0
        self._drop_at_s = 0.0
        self._reason = ""
        self._effects: list[Effect] = []

    def receive(self, event: Event, now_s: float) -> None:
        """Takes in what happened."""
        match event:
            case BedSaidClearUnwatched():
                self._effects.append(Drop(reason=FROM_CARD))
            case BedSaidClear(in_print=True):
                self.word = BedReportState.IN_PRINT
            case BedSaidClear() if self.word not in _WAITING:
                self._become_due(now_s)
            case PrintOver(done=True) if self.word is BedReportState.IN_PRINT:
                self._become_due(now_s)
            case FilamentLaid() | PrintOver() | PrintBegan() if (
                self.word is BedReportState.IN_PRINT
            ):
                self.word = BedReportState.NONE
            case PrintBegan() if self.word is BedReportState.DUE:
                self.word, self._ask_at_s = BedReportState.LAST_CALL, now_s
            case PrintOver() if self.word is BedReportState.LAST_CALL:
                self._drop("another print began and is over")
            case PeerAnswered(reason=reason) if self.word in _WAITING:
                self._reason, self._ask_at_s = reason, now_s + RETRY_S
                self.word = self.word if reason else BedReportState.NONE
            case _:
                pass

    def _become_due(self, now_s: float) -> None:
        self.word, self._reason = BedReportState.DUE, "the peer has not answered"
        self._ask_at_s, self._drop_at_s = now_s, now_s + KEEP_S

    def _drop(self, why: str) -> None:
        self.word = BedReportState.NONE
        self._effects.append(Drop(reason=f"{why} ({self._reason})"))

    def tick(self, now_s: float) -> None:
        """Does what is due."""
        if self.word not in _WAITING or now_s < self._ask_at_s:
            return
        if now_s >= self._drop_at_s:
            self._drop(f"the peer did not take it for {KEEP_S:.0f} s")
        else:
            self._ask_at_s = now_s + RETRY_S
            self._effects.append(TellPeer())

    def effects(self) -> Sequence[Effect]:
        """What must be done now; asked for once."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` has something to do."""
        return self._ask_at_s if self.word in _WAITING else None
