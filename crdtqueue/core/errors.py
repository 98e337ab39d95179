"""The errors of crdtqueue, split by what the caller does next."""

from __future__ import annotations


class CrdtQueueError(Exception):
    """Root of every error this package raises on purpose.

    `code` is a short stable word for programs (the HTTP API, log filters);
    the message is a sentence for people and says what to do next.
    """

    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Invalid(CrdtQueueError):
    """Input from a person or a program on their behalf is wrong.

    The caller shows the message, which says what to change, and changes nothing.
    """

    code = "invalid"


class Refused(CrdtQueueError):
    """The request is well formed but not allowed in the present state.

    The caller shows the message and does not retry by itself.
    """

    code = "refused"


class NotFound(CrdtQueueError):
    """The thing named does not exist here. The caller shows the message."""

    code = "not_found"


class Hostile(CrdtQueueError):
    """Bytes from another machine break the protocol.

    The caller drops the link they came over, logs one line, and applies nothing.
    """

    code = "hostile"


class Unavailable(CrdtQueueError):
    """Something needed is not there at the moment. The caller tries again later."""

    code = "unavailable"
