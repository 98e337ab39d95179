"""The command line itself: usage, exit codes, and errors as one sentence or as JSON."""

import json
import subprocess
import sys

import pytest

from crdtqueue import __version__
from crdtqueue.cli.main import COMMANDS, main, make_parser
from crdtqueue.core.errors import Refused


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"crdtqueue {__version__}\n"


@pytest.mark.parametrize("command", [each.name for each in COMMANDS])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["unknown"], ["add"], ["rm"], ["join"], ["ls", "x"], ["add", "x", "--copies", "many"],
     ["serve", "--speed-up", "fast"], ["status", "--surprise"]],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: crdtqueue" in capsys.readouterr().err


def test_an_error_is_a_sentence_or_json_and_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["status", "--url", "http://127.0.0.1:1"]
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("crdtqueue: No peer answers at http://127.0.0.1:1.")
    assert err.count("\n") == 1
    assert main([*arguments, "--json"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out)["error"]["code"] == "unavailable"


@pytest.mark.parametrize(
    ("error", "code"), [(Refused("No.\x1b[2J"), 1), (KeyboardInterrupt(), 130)]
)
def test_interruptions_and_control_characters_are_tamed(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("crdtqueue.cli.list_commands.status", fail)
    assert main(["status"]) == code
    assert "\x1b" not in capsys.readouterr().err


def test_the_peer_s_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRDTQUEUE_URL", "http://pi:7421")
    assert make_parser(["ls"]).parse_args(["ls"]).url == "http://pi:7421"
    given = ["ls", "--url", "http://x"]
    assert make_parser(given).parse_args(given).url == "http://x"


SERVER_LIBRARIES = ("starlette", "uvicorn", "pydantic", "zeroconf", "websockets", "y_py", "pycrdt",
                    "sqlite3", "serial", "asyncio")  # fmt: skip


@pytest.mark.parametrize("arguments", [["--version"], ["ls", "--url", "http://127.0.0.1:1"]])
def test_a_command_does_not_load_the_server(arguments: list[str]) -> None:
    """A command would take a second of processor time otherwise, five on a Raspberry Pi Zero."""
    program = (
        "import sys; from crdtqueue.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        f"print(sorted(set(sys.modules) & {{*{SERVER_LIBRARIES!r}}}), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert ran.stderr.splitlines()[-1] == "[]"
