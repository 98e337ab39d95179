"""The errors of crdtqueue, split by what the caller does next."""

from __future__ import annotations


class CrdtQueueError(Exception):
    """The base of every error that this package raises on purpose.

    `code` is a short stable word for programs (the HTTP API, log filters). The message is a
    sentence for people that says what to do next.
    """

    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Invalid(CrdtQueueError):
    """The input of a person, or of a program, is wrong.

    The caller shows the message, which says what to change, and changes nothing.
    """

    code = "invalid"


class Refused(CrdtQueueError):
    """The request is well formed but not allowed in the present state.

    The caller shows the message and does not retry by itself.
    """

    code = "refused"


class NotFound(CrdtQueueError):
    """The named thing does not exist here. The caller shows the message."""

    code = "not_found"


class Hostile(CrdtQueueError):
    """Bytes from another machine break the protocol.

    The caller closes the link that they came over, logs one line, and applies nothing.
    """

    code = "hostile"


class Unavailable(CrdtQueueError):
    """Something that is needed is missing at the moment. The caller tries again later."""

    code = "unavailable"
