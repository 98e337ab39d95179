"""The file of the running print: what of it was sent, where it is, and how it continues."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from printer_driver.core.gcode.gcode_lines import (
    NOT_YET,
    FileCommand,
    commands_of,
)
from printer_driver.core.gcode.machine_state import (
    MachineState,
    state_behind,
)
from printer_driver.core.streaming.sent_line import (
    Certainty,
    LineRecord,
    SentLine,
)
from printer_driver.errors import GcodeError, PrinterError
from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.file_check import (
    FileIdentity,
    identity_of,
    lines_of,
    open_gcode,
)
from printer_driver.prints.read_ahead import ReadAhead

HASH_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintFile:
    """What is needed to open the file of a print again."""

    print_id: str
    path: Path
    sha256: str
    gcode_bytes: int
    """The offset behind the last command."""
    notice: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reopened:
    """The file of an interrupted print, at the place where it goes on."""

    file: BinaryIO
    identity: FileIdentity
    """As the file was before its hash was found right."""
    end_offset: int
    state: MachineState


def reopen(
    wanted: PrintFile,
    end_offset: int,
    sent_offset: int = 0,
    ignored: frozenset[str] = frozenset(),
) -> Reopened:
    """Opens the file again and computes the machine's state there. Raises `PrinterError`.

    Reads all of it, for its hash, so it runs in a thread. `ignored`: see `StreamSettings`.
    """
    file = open_gcode(wanted.path)
    try:
        identity = identity_of(file, wanted.sha256)
        digest = hashlib.sha256()
        commands = commands_of(_hashed(lines_of(file), digest))
        state = state_behind(commands, end_offset, sent_offset, ignored)
        while chunk := file.read(HASH_BYTES):
            digest.update(chunk)
        if digest.hexdigest() != wanted.sha256:
            raise GcodeError("The file was changed in mid-print; it cannot go on.")
        file.seek(end_offset)
    except (PrinterError, OSError) as error:
        file.close()
        raise GcodeError(str(error)) from error
    return Reopened(file=file, identity=identity, end_offset=end_offset, state=state)


def _hashed(lines: Iterator[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


class RunningPrint:
    """One print of this process, from its start or from behind `base` on.

    `file` stands there. The `preamble` is sent first and does not count as lines of the file.
    """

    def __init__(
        self,
        *,
        what: PrintFile,
        file: ReadAhead,
        base: LineRecord | None = None,
        preamble: Sequence[str] = (),
        elapsed_s: float = 0.0,
    ) -> None:
        self.what = what
        self._file = file
        self._base_lines = base.lines if base else 0
        self._base_offset = base.end_offset if base else 0
        self._preamble = preamble
        self._elapsed_s = elapsed_s

    @property
    def is_continued(self) -> bool:
        """Whether it began before this process, or before an interruption."""
        return self._base_offset > 0

    def commands(self) -> Iterator[FileCommand]:
        """The commands to send; NOT_YET while the next one has not been read.

        Raises `GcodeError` if the file cannot be read to its end.
        """
        for text in self._preamble:
            yield FileCommand(text=text, end_offset=self._base_offset)
        end_offset = base_offset = self._base_offset
        for command in commands_of(self._file.lines()):
            if command is NOT_YET:
                yield NOT_YET
                continue
            if base_offset:
                end_offset = base_offset + command.end_offset
                command = FileCommand(text=command.text, end_offset=end_offset)  # noqa: PLW2901
            else:
                end_offset = command.end_offset
            yield command
            if end_offset >= self.what.gcode_bytes:
                return  # what follows is comments; the part does not need them
        if end_offset < self.what.gcode_bytes:
            raise GcodeError("The file has become shorter in mid-print; add it again.")

    def records(self, lines: Sequence[SentLine]) -> list[LineRecord]:
        """The records of lines that are being sent; see `LineRecord`."""
        return [self._record(line) for line in lines]

    def _record(self, line: SentLine) -> LineRecord:
        print_id, lines, end_offset, is_aside = line.progress
        assert line.number is not None  # noqa: S101 - the others prove no place
        if print_id != self.what.print_id:  # the greeting before the print begins or goes on
            return LineRecord(line.number, self._base_lines, self._base_offset)
        if self._base_offset:
            lines = self._base_lines + max(0, lines - len(self._preamble))
            end_offset = max(self._base_offset, end_offset)
        certainty = Certainty.UNSURE if is_aside else Certainty.EXACT
        return LineRecord(line.number, lines, end_offset, certainty)

    def completed(self, report: PrintReport) -> PrintReport:
        """The report of the streamer, which knows only its own part, for the whole file."""
        if report.print_id != self.what.print_id:
            return report
        report = replace(report, notice=self.what.notice)
        if not self.is_continued:
            return report
        lines = max(0, report.lines_done - len(self._preamble))
        is_starting = report.state is PrintState.STARTING
        return replace(
            report,
            state=PrintState.PRINTING if is_starting else report.state,
            lines_done=self._base_lines + lines,
            bytes_done=max(self._base_offset, report.bytes_done),
            elapsed_s=round(self._elapsed_s + report.elapsed_s, 3),
        )

    def close(self) -> None:
        """Closes the file; never waits."""
        self._file.close()
