from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from crdtqueue.adapters.crdt import marks
from crdtqueue.adapters.crdt.facade import open_document
from crdtqueue.adapters.crdt.marks import checked_mark, fits
from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs import update_parser

ROOTS = frozenset({"jobs", "runs"})


@pytest.fixture(autouse=True)
def _forget_rules() -> Iterator[None]:
    marks._rules.cache_clear()
    yield
    marks._rules.cache_clear()


def whole_document() -> bytes:
    document = open_document(1, ROOTS)
    for number in range(20):
        document.set("jobs", f"{number % 7}", {"n": [number, 0.5, "é"]})
    document.delete("jobs", "3")
    whole = document.diff(b"\0")
    document.close()
    return whole


def test_a_mark_fits_nothing_but_the_bytes_it_was_made_for() -> None:
    whole = whole_document()
    mark = checked_mark(whole, ROOTS)
    assert fits(mark, whole, ROOTS)
    assert mark == checked_mark(whole, ROOTS)
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not fits(mark, bytes(flipped), ROOTS)
    assert not fits(mark, whole[:-1], ROOTS)
    assert not fits(mark, whole + b"\0", ROOTS)
    for other in ("", mark[:-1], mark.upper(), "0" * 64):
        assert not fits(other, whole, ROOTS)


def test_a_mark_is_of_one_check_with_one_set_of_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = whole_document()
    mark = checked_mark(whole, ROOTS)
    assert not fits(mark, whole, ROOTS | {"more"})
    later = tmp_path / "update_parser.py"
    later.write_bytes(Path(update_parser.__file__).read_bytes().replace(b"500_000", b"400_000"))
    check = SimpleNamespace(
        __file__=str(later), parse_update=update_parser.parse_update, has_gap=update_parser.has_gap
    )
    monkeypatch.setattr(marks, "update_parser", check)
    assert fits(mark, whole, ROOTS), "the rules are read once"
    marks._rules.cache_clear()
    assert not fits(mark, whole, ROOTS)
    assert fits(checked_mark(whole, ROOTS), whole, ROOTS)


def test_where_the_source_cannot_be_read_there_are_no_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "lib0", SimpleNamespace(__file__=str(tmp_path / "lib0.py")))
    whole = whole_document()
    assert checked_mark(whole, ROOTS) == ""
    assert not fits("", whole, ROOTS)


def test_what_does_not_pass_or_is_not_whole_gets_no_mark() -> None:
    document = open_document(1, ROOTS)
    updates: list[bytes] = []
    document.on_update(updates.append)
    for number in range(2):
        document.set("jobs", "a", number)
    document.close()
    with pytest.raises(Hostile):
        checked_mark(b"\x01\x01\xff", ROOTS)
    with pytest.raises(Hostile, match="not in it"):
        checked_mark(updates[1], ROOTS)
