"""When to ask OctoPrint for its state again, depending on how well it pushes events.

A push only says that something has changed, and shows progress. The state of a print is decided by
the answer to a question, which is never older than the question.
"""

from collections.abc import Sequence

from printer_driver.core.octoprint.push_messages import (
    Pushed,
    PushState,
    StatePushed,
)
from printer_driver.core.octoprint.rest_answers import OctoPrintJob
from printer_driver.printer import Temperature

LOOK_GAP_S = 0.2
"""Between two looks, however much is pushed."""
HEARTBEAT_S = 10.0
"""While all goes well with the push socket."""
SILENCE_S = 2.0
"""Without a message: nothing need have changed, but the socket may be dead."""


class PollSchedule:
    """The time of the next question."""

    def __init__(self, *, poll_s: float) -> None:
        self.push = PushState.DOWN
        self.temperatures: tuple[Temperature, ...] | None = None
        self._poll_s = poll_s
        self._known: tuple[object, ...] = ()
        self._looked_s = float("-inf")
        self._heard_s = float("-inf")
        self._news_s = float("-inf")

    def turned(self, push: PushState, now_s: float) -> None:
        """The push socket has come or gone; events may have been missed meanwhile."""
        if push is not self.push:
            self._news_s = now_s
        self.push = push
        if push is not PushState.LIVE:
            self.temperatures = None

    def heard(self, pushed: Sequence[Pushed], now_s: float) -> None:
        """Something was pushed."""
        self._heard_s = now_s
        for each in pushed:
            if not isinstance(each, StatePushed):
                self._news_s = now_s
            elif _key(each.job) != self._known:
                self._known, self._news_s = _key(each.job), now_s
            if isinstance(each, StatePushed) and each.temperatures is not None:
                self.temperatures = each.temperatures

    def looked(self, job: OctoPrintJob, asked_s: float) -> None:
        """OctoPrint was asked at `asked_s` and has answered; pushes since then are still new."""
        self._known, self._looked_s = _key(job), asked_s

    def next_look_s(self, *, is_settling: bool) -> float:
        """When to look; `is_settling` while a print is beginning or its result is awaited."""
        if self._news_s >= self._looked_s:
            return self._looked_s + min(LOOK_GAP_S, self._poll_s)
        if self.push is not PushState.LIVE or is_settling:
            return self._looked_s + self._poll_s
        silent_s = max(self._heard_s, self._looked_s) + SILENCE_S
        return min(self._looked_s + HEARTBEAT_S, silent_s)


def _key(job: OctoPrintJob) -> tuple[object, ...]:
    return job.phase, job.path
