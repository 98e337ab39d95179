import pytest

from tests.harness.virtual_printers import shortened


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("G1 X10.500 Y0.050 E-0.10", "G1X10.5Y.05 E-.1"),
        ("G1 X-0.000 Y+5 Z007", "G1 X0 Y5 Z7"),
        ("G1 X100 Y20.0 F1200", "G1X100Y20F1200"),
        ("M117 done", "M117 done"),
    ],
)
def test_all_spellings_of_the_same_values_are_one(text: str, short: str) -> None:
    assert shortened(text.encode()) == shortened(short.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [("G1 X10", "G1 X1"), ("G1 X.1", "G1 X1"), ("G1 X100", "G1 X10"), ("G1 X-1", "G1 X1")],
)
def test_other_values_are_others(one: str, other: str) -> None:
    assert shortened(one.encode()) != shortened(other.encode())
