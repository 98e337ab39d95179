"""What can go wrong with a printer, split by what the caller does about it."""


class PrinterError(Exception):
    """Root of this package's errors. Its text is one sentence that names the next step.

    `code` is the socket protocol's word for it (see `printer_driver.protocol`).
    """

    code = "failed"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class PrinterUnavailable(PrinterError):
    """The driver or the printer is not reachable: try again later."""

    code = "unavailable"


class PrintRefused(PrinterError):
    """The printer will not do this (busy, halted, wrong file, no g-code): tell the person."""

    code = "refused"


class NotPrinting(PrinterError):
    """The named print does not run (any more): ask for its report."""

    code = "not_printing"


class BadRequestError(PrinterError):
    """The request itself is wrong: a defect in the caller or a version mismatch."""

    code = "bad_request"


class PortError(PrinterError):
    """The serial port cannot be opened or has gone: tell the person, try again later."""

    code = "port"


class GcodeError(PrintRefused):
    """The file cannot be printed as g-code: tell the person, never send it."""

    code = "bad_gcode"
