from __future__ import annotations

import pytest

from crdtqueue.core.worker.materials import (
    Loaded,
    in_words,
)


@pytest.mark.parametrize(
    ("tools", "wanted", "changes"),
    [
        (("PLA", "PETG"), ("PLA", "PETG"), 0),
        (("PLA", "PETG"), ("pla ", " Petg"), 0),
        (("PLA_red",), ("PLA",), 1),
        (("PLA",), ("", "PETG"), 1),
        (("PLA", "PETG"), ("PETG", "PLA"), 2),
        (("PLA", "PETG"), (), 0),
        ((), ("PETG", "PLA"), 0),
        (("", ""), ("PETG", "PLA"), 0),
    ],
)
def test_so_many_tools_would_have_to_be_changed(
    tools: tuple[str, ...], wanted: tuple[str, ...], changes: int
) -> None:
    assert Loaded(tools=tools).changes(wanted) == changes


def test_only_what_a_person_vouches_for_is_missed() -> None:
    assert Loaded(tools=("PLA",)).missing(("PETG",)) == {}
    said = Loaded(tools=("PLA",), said=True)
    assert said.missing(("PETG", "", "ABS")) == {0: "PETG", 2: "ABS"}
    assert said.missing(("PLA",)) == said.missing(()) == said.missing(("", "")) == {}
    assert Loaded(said=True).missing(("PETG",)) == {0: "PETG"}


def test_a_print_leaves_alone_what_does_not_matter_to_it() -> None:
    loaded = Loaded(tools=("PLA", "PETG"), said=True)
    assert loaded.used(("", "ABS", "PC")) == Loaded(tools=("PLA", "ABS", "PC"), said=True)
    assert loaded.used(()) == loaded


def test_what_is_missing_in_words() -> None:
    assert in_words({0: "PETG", 2: "ABS"}) == "PETG in tool 1 and ABS in tool 3"
