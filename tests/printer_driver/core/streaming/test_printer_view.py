from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.printer_view import shown
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import Question


def hear(streamer: Streamer, *lines: str) -> None:
    for line in lines:
        streamer.receive(ev.Received(data=f"{line}\n".encode()), 0.0)


def test_the_last_fault_and_the_question_once_it_is_whole() -> None:
    streamer = Streamer()
    streamer.receive(ev.PortOpened(), 0.0)
    assert (shown(streamer, 0.0).fault, shown(streamer, 0.0).question) == ("", None)
    hear(streamer, "echo: cold extrusion prevented", "// action:prompt_begin Go on?")
    hear(streamer, "// action:prompt_choice Yes")
    assert shown(streamer, 0.0).fault == "cold_extrusion"
    assert shown(streamer, 0.0).question is None
    hear(streamer, "// action:prompt_show")
    assert shown(streamer, 0.0).question == Question(text="Go on?", choices=("Yes",))
