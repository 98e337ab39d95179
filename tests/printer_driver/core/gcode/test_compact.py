import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.gcode.compact import compact

WORD = re.compile(r"([A-Z])(-?(?:\d+\.?\d*|\.\d+))")


def values(command: str) -> list[tuple[str, Decimal]]:
    """The words as any firmware reads them."""
    return [(letter, Decimal(value)) for letter, value in WORD.findall(command.replace(" ", ""))]


numbers = st.from_regex(r"-?(\d{1,5}(\.\d{0,5})?|\.\d{1,5})", fullmatch=True)
words = st.tuples(st.sampled_from("XYZEFIJKR"), numbers).map("".join)
moves = st.tuples(
    st.sampled_from(["G0", "G1", "G2", "G3"]), st.lists(words, min_size=1, max_size=6)
)


@given(moves, st.integers(1, 3))
def test_no_value_changes(move: tuple[str, list[str]], blanks: int) -> None:
    command = (" " * blanks).join([move[0], *move[1]])
    short = compact(command)
    assert values(short) == values(command)
    assert len(short) <= len(command)
    assert compact(short) == short


@pytest.mark.parametrize(
    ("command", "short"),
    [
        ("G1 X10.500 Y0.20 E0.05", "G1X10.5Y.2 E.05"),
        ("G1 X10 Y100 F9000", "G1X10Y100F9000"),
        ("G1 X10.00 Z-0.30", "G1X10Z-.3"),
        ("G1 E-0.80000 F2100", "G1 E-.8F2100"),
        ("G0 X0.0 Y.0 Z-.00", "G0X0Y0Z-0"),
        ("M117 G1 X1.0", "M117 G1 X1.0"),
        ("G1 X1 ;", "G1 X1 ;"),
        ("G1 X{x}", "G1 X{x}"),
        ("G28 X0 Y0", "G28 X0 Y0"),
    ],
)
def test_compact(command: str, short: str) -> None:
    assert compact(command) == short


@given(st.text(alphabet="GMXYZEF0123456789.- +*", max_size=30))
def test_anything_else_keeps_its_values(text: str) -> None:
    assert values(compact(text)) == values(text)
