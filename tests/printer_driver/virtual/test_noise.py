import itertools
import random

from printer_driver.virtual.noise import (
    Noise,
    NoiseRates,
)


def noise(seed: int = 1, **rates: float) -> Noise:
    return Noise(NoiseRates(**rates), random.Random(seed).random)  # type: ignore[arg-type]


def test_faults_of_both_kinds_keep_apart() -> None:
    """A lost byte and a flip in the checksum of the same line can cancel out."""
    rates = NoiseRates(flips_to_printer=0.2, drops_to_printer=0.2, apart_bytes=90)
    noise = Noise(rates, random.Random(1).random)
    for _ in range(200):
        before = bytes(range(90))
        after = noise.to_printer(before)
        changed = sum(a != b for a, b in zip(before, after, strict=False))
        assert len(after) == len(before) - 1 or changed <= 1


def test_no_noise_changes_nothing() -> None:
    assert noise().to_printer(b"G1 X1\n" * 99) == b"G1 X1\n" * 99
    assert noise().to_host(b"ok\n" * 99) == b"ok\n" * 99


def test_rates_are_kept_whatever_the_pieces() -> None:
    flips, drops = noise(flips_to_printer=0.01), noise(drops_to_printer=0.01)
    sent = b"\0" * 100_000
    flipped = b"".join(flips.to_printer(sent[i : i + 7]) for i in range(0, len(sent), 7))
    dropped = b"".join(drops.to_printer(sent[i : i + 7]) for i in range(0, len(sent), 7))
    assert 850 < sum(byte != 0 for byte in flipped) < 1150
    assert all(byte.bit_count() <= 1 for byte in flipped)
    assert 850 < len(sent) - len(dropped) < 1150


def test_the_same_seed_makes_the_same_noise() -> None:
    rates = {"flips_to_host": 0.01, "drops_to_host": 0.01, "lost_oks": 0.1}
    lines = b"ok\nok T:20\n" * 200
    assert noise(7, **rates).to_host(lines) == noise(7, **rates).to_host(lines)
    assert noise(7, **rates).to_host(lines) != noise(8, **rates).to_host(lines)


def test_faults_keep_their_distance() -> None:
    disturbed = noise(flips_to_printer=0.2, apart_bytes=50).to_printer(b"\0" * 10_000)
    places = [i for i, byte in enumerate(disturbed) if byte]
    assert len(places) > 100
    assert min(b - a for a, b in itertools.pairwise(places)) > 50


def test_only_oks_are_lost_or_doubled() -> None:
    lines = b"ok\nResend: 3\necho:busy\n" * 10
    assert noise(lost_oks=1.0).to_host(lines) == b"Resend: 3\necho:busy\n" * 10
    assert noise(doubled_oks=1.0).to_host(b"ok\n// x\n") == b"ok\nok\n// x\n"
