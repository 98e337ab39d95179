"""The errors of a printer, split by what the caller does next."""


class PrinterError(Exception):
    """The base of this package's errors. The text is one sentence that names the next step.

    `code` is the word for it in the socket protocol (see `protocol.py`).
    """

    code = "failed"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class PrinterUnavailable(PrinterError):
    """The driver or the printer cannot be reached: try again later."""

    code = "unavailable"


class PrintRefused(PrinterError):
    """The printer will not do this (busy, halted, wrong file, no g-code): tell the person."""

    code = "refused"


class NotPrinting(PrinterError):
    """The named print is not running, or not any more: ask for its report."""

    code = "not_printing"


class BadRequestError(PrinterError):
    """The request itself is wrong: a defect in the caller or a version mismatch."""

    code = "bad_request"


class PortError(PrinterError):
    """The serial port cannot be opened or is gone: tell the person, try again later."""

    code = "port"


class GcodeError(PrintRefused):
    """The file cannot be printed as g-code: tell the person, never send it."""

    code = "bad_gcode"
