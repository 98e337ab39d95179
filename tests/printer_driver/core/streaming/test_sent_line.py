from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    SentLine,
)


def line(command: str) -> SentLine:
    return SentLine(
        number=1, command=command, data=b"", progress=NO_PLACE, follows=True, sent_s=0.0
    )


def test_only_the_answer_to_m105_carries_temperatures() -> None:
    assert line("M105").reports_temperatures
    assert not line("M1050").reports_temperatures
    assert not line("M109 S200").reports_temperatures
