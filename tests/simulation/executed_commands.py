"""Which of the executed commands are the file's, and from where to where its moves went."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    kind_of,
)
from printer_driver.core.streaming.sent_line import SentLine
from printer_driver.virtual.board import Board
from printer_driver.virtual.firmware import Executed
from printer_driver.virtual.planner import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedMove:
    """One move of the file."""

    command: str
    begin: Place
    end: Place
    feedrate_mm_s: float


class Witness:
    """Told of every line that gets a number and of every command executed.

    A line is the file's when more of the file lies behind it than behind all before; those that
    the driver puts in between (parking, questions, what it takes back) move nothing on.
    """

    def __init__(self, board: Board) -> None:
        self.printed: list[str] = []
        self.moves: list[PlannedMove] = []
        self.is_cancelled = False
        """To be set when it is: M410 throws moves away, and those behind it begin elsewhere."""
        self._lines = 0
        self._is_of_file: dict[int, bool] = {}
        self._planned: deque[PlannedMove] = deque()
        self._look_at(board)

    def _look_at(self, board: Board) -> None:
        motion = board._firmware._machine.motion
        plan = motion.plan

        def planned(command: str, now_s: float, *, is_dry: bool = False) -> None:
            begin = motion.position
            plan(command, now_s, is_dry=is_dry)
            move = PlannedMove(
                command=command,
                begin=begin,
                end=motion.position,
                feedrate_mm_s=motion._feedrate_mm_s,
            )
            self._planned.append(move)

        motion.plan = planned  # type: ignore[method-assign]

    def sent(self, lines: Iterable[SentLine]) -> None:
        """These got a number."""
        for line in lines:
            if line.number is not None:
                self._is_of_file[line.number] = line.progress.lines > self._lines
                self._lines = max(self._lines, line.progress.lines)

    def executed(self, line: Executed) -> None:
        """In the board's order."""
        move = self._planned.popleft() if kind_of(line.command) is CommandKind.MOVE else None
        if line.line_number is None or not self._is_of_file.get(line.line_number):
            return
        if self.is_cancelled and line.command == "M105":
            return  # in place of a line that is not wanted any more
        self.printed.append(line.command)
        if move and not self.is_cancelled:
            self.moves.append(move)
