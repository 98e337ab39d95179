"""Secrets and names are taken out of what goes into a bug report."""

import pytest

from crdtqueue.cli.redaction import NameHider, each_text, names_in, without_secrets


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2",
        "X-Api-Key: hunter2",
        '{"api_key": "hunter2"}',
        "http://anna:hunter2@octopi.local/x",
        "GET /x?token=hunter2&y=1",
        "password = hunter2",
        "> N12 M587 S\"home\" P\"hunter2\"*33",
        "M551P\"hunter2\"",
        "[ESP401]P1 hunter2",
    ],
)  # fmt: skip
def test_a_secret_is_hidden_in_every_usual_form(text: str) -> None:
    assert "hunter2" not in without_secrets(f"before\n{text}\nafter")
    assert without_secrets(f"before\n{text}\nafter").startswith("before\n")
    assert without_secrets(f"before\n{text}\nafter").endswith("\nafter")


def test_text_without_secrets_stays() -> None:
    text = "INFO the printer is on /dev/ttyUSB0 at 115200 baud: M5870 http://octopi.local:5000\n"
    assert without_secrets(text) == text


def test_one_name_has_one_hash_in_all_its_forms() -> None:
    hide = NameHider(["bär [1].gcode", "part", "part two"])
    hidden = hide("bär [1].gcode")
    assert hidden.startswith("#")
    assert hide("bär [1]") == hidden
    assert hide(r'"b\u00e4r [1].gcode"') == f'"{hidden}"'
    assert hide(r"b\xe4r [1].gcode") == hidden
    assert hide("crdtqueue/bar-1-0123.gcode") == f"crdtqueue/{hidden}-0123.gcode"
    assert hide("part two") != hide("part")
    assert hide("part_1, partial") == f"{hide('part')}_1, partial"


def test_a_hash_cannot_be_found_by_trying_names() -> None:
    assert NameHider(["part"])("part") != NameHider(["part"])("part")


def test_names_are_found_in_state_and_history() -> None:
    job = {"name": "job", "note": "note", "copies_total": 1, "sets": [
        {"file": {"name": "file", "sha256": "0"}}
    ]}  # fmt: skip
    deleted = {"id": "x", "name": "gone", "created_at_s": 1.0}
    state = {
        "peer": {"name": "peer", "version": "1", "address": "pi.local:7420"},
        "queues": [{"name": "queue", "jobs": [job], "deleted": [deleted]}],
        "printer": {"name": "printer", "profile": "MK3S", "file_name": "printed"},
    }
    of_jobs = {"job", "note", "file", "gone", "printed"}
    assert names_in(state) == of_jobs | {"peer", "pi.local:7420", "pi.local", "printer"}
    assert names_in([{"job_name": "a", "file_name": "b", "queue": "q"}]) == {"a", "b"}


def test_every_text_in_json_is_changed_and_no_key() -> None:
    content = {"a": ["a", {"b": "a"}], "c": 1, "d": None}
    assert each_text(content, str.upper) == {"a": ["A", {"b": "A"}], "c": 1, "d": None}
