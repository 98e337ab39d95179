"""What may be typed on the settings page, and what people read when it may not."""

import pytest
from octoprint_crdtqueue.plugin_config import (
    CHANGES_MAX,
    DEFAULT_PORT,
    QueueChange,
    parse_address,
    parse_change,
    parse_config,
    parse_port,
    problems,
)

from crdtqueue.core.errors import Invalid


def test_settings_that_nobody_touched_are_fine() -> None:
    assert problems({"name": "", "profile": "", "port": DEFAULT_PORT, "queue_changes": []}) == {}
    config = parse_config({}, "octopi")
    assert (config.name, config.profile, config.port) == ("octopi", "", DEFAULT_PORT)


def test_a_profile_is_kept_in_the_form_that_is_compared() -> None:
    assert parse_config({"profile": "  mk3s  mmu "}, "x").profile == "MK3S MMU"


@pytest.mark.parametrize("port", ["", "x", "80", "65536", "-1", "7420.0", None, "７４２０", []])
def test_a_bad_port_is_refused_with_what_to_do(port: object) -> None:
    with pytest.raises(Invalid, match="Give a number from 1024 to 65535"):
        parse_port(port)


@pytest.mark.parametrize(
    "address", ["mk3s.local:7420", "192.168.1.5:7420", "[fe80::1]:7420", "ender_3:1", "a.b.:65535"]
)
def test_addresses_as_people_write_them(address: str) -> None:
    assert parse_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        *("mk3s", ":7420", "mk3s:", "mk3s:0", "mk3s:65536", "mk3s:x", "http://mk3s:7420", "a b:1"),
        *("fe80::1:7420", "-a:1", "a" * 300 + ":1", "mk3s:7420/room", "мк3с\x00:7420"),
    ],
)
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(Invalid, match="like"):
        parse_address(address)


def test_addresses_may_be_written_in_one_line_and_auto_is_one() -> None:
    change = parse_change({"name": " work  shop ", "addresses": "a:1, b:2;Auto  a:1"})
    assert change == QueueChange(name="work shop", addresses=("a:1", "b:2", "auto"))
    assert parse_change({"name": "x", "addresses": " "}).addresses == ()
    assert parse_change(change.as_json()) == change


def test_leaving_needs_a_name_alone() -> None:
    assert parse_change({"name": "x", "leave": True}) == QueueChange(name="x", leave=True)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give the queue a name."),
        ("a/b", "no slash"),
        ("Local", "reserved"),
        ("x" * 201, "200"),
    ],
)
def test_bad_names_of_queues(name: str, sentence: str) -> None:
    found = problems({"queue_changes": [{"name": name, "addresses": ""}]})
    assert sentence in found["queue 0"]


def test_each_problem_is_told_by_its_field() -> None:
    found = problems(
        {
            "name": "a\nb\0",
            "profile": "x" * 65,
            "port": 1,
            "queue_changes": [
                {"name": "w", "addresses": "a:1"},
                {"name": "v", "addresses": "mk3s"},
            ],
        }
    )
    assert set(found) == {"name", "profile", "port", "queue 1"}


def test_one_queue_cannot_be_listed_twice() -> None:
    changes = [{"name": "shop"}, {"name": "SHOP "}]
    assert problems({"queue_changes": changes}) == {
        "queue 1": "SHOP is listed twice. Remove one of the two."
    }


@pytest.mark.parametrize("changes", ["x", {"a": 1}, [{"name": str(n)} for n in range(99)]])
def test_what_is_no_list_of_changes_is_refused(changes: object) -> None:
    assert str(CHANGES_MAX) in problems({"queue_changes": changes})["queue_changes"]


@pytest.mark.parametrize("change", [None, 1, "x", ["x"]])
def test_what_is_no_change_is_refused(change: object) -> None:
    assert "name" in problems({"queue_changes": [change]})["queue 0"]


def test_where_to_listen_is_everywhere_unless_told() -> None:
    assert parse_config({}, "pi").host == "0.0.0.0"  # noqa: S104
    assert parse_config({"host": " 127.0.0.1 "}, "pi").host == "127.0.0.1"
    assert "no IPv4 address" in problems({"host": "localhost"})["host"]
