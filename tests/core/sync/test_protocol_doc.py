"""docs/protocol.md says what the code does: every frame, message, field and limit stands in it."""

import re
from pathlib import Path
from typing import get_args

import pytest

from crdtqueue.adapters import links
from crdtqueue.core.sync import frames, messages
from crdtqueue.core.yjs import update_parser
from crdtqueue.peer import file_fetcher, peer_link

DOC = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
MODULES = {
    "frames.py": frames,
    "messages.py": messages,
    "update_parser.py": update_parser,
    "links.py": links,
    "peer_link.py": peer_link,
    "file_fetcher.py": file_fetcher,
}
UNITS = {"KiB": 2**10, "MiB": 2**20}
PARTS = (messages.ClaimText, messages.HeldClaim, messages.PrinterSummary)


def table(heading: str) -> list[list[str]]:
    """The rows of the first table behind a heading, without the first two."""
    behind = DOC.split(f"# {heading}\n", 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", behind, re.MULTILINE)
    assert rows, heading
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[0].splitlines()][
        2:
    ]


def names(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def kinds() -> dict[str, set[str]]:
    """The fields of each kind of message."""
    classes = get_args(messages.Message)
    return {each.model_fields["kind"].default: {*each.model_fields} - {"kind"} for each in classes}


def test_every_message_and_its_fields_are_described() -> None:
    assert len(kinds()) == 12
    described = {row[0].strip("`"): names(row[1]) for row in table("Messages")}
    assert described == kinds()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_part_of_a_message_is_described(part: type[messages.ClaimText]) -> None:
    described = {row[0].strip("`"): names(row[1]) for row in table("Parts of messages")}
    assert set(part.model_fields) <= described[part.__name__]


def test_every_frame_is_described() -> None:
    described = {row[0] for row in table("Frames")}
    in_code = re.findall(r"^    (\d+(?: \d)?)\s", frames.__doc__ or "", re.MULTILINE)
    assert described == set(in_code) == {"0 0", "0 1", "0 2", "1", "3", "100", "101", "102"}


@pytest.mark.parametrize("row", table("Limits"), ids=lambda row: row[0].strip("`"))
def test_every_limit_is_the_code_s(row: list[str]) -> None:
    name, text, module = row[0].strip("`"), row[1].replace(",", ""), row[2].strip("`")
    value = getattr(MODULES[module], name)
    found = re.match(r"(\d+)\s*(KiB|MiB)?(?: \+ (\d+))?", text)
    assert found
    assert int(found[1]) * UNITS.get(found[2] or "", 1) + int(found[3] or 0) == value
