import pytest

from printer_driver.core.motion import PLANNER_MOVES_MAX, Motion, words


def test_words() -> None:
    assert words("G1 X-1.5 Y.25E3 F1200") == {"G": 1, "X": -1.5, "Y": 0.25, "E": 3, "F": 1200}
    assert words("nan inf X1e999") == {"X": 1, "E": 999}


def test_a_move_takes_distance_over_feedrate() -> None:
    motion = Motion()
    motion.plan("G1 X3 Y4 F60", 0.0)
    assert motion.last_end_s(0.0) == pytest.approx(5.0)
    motion.set_mode("G91")
    motion.plan("G1 X6 Y8", 0.0)
    assert motion.last_end_s(0.0) == pytest.approx(15.0)
    motion.set_position("G92 E5")
    motion.set_mode("M82")
    motion.plan("G1 E7", 0.0)
    assert motion.last_end_s(0.0) == pytest.approx(17.0)


def test_slots_become_free_when_moves_end() -> None:
    motion = Motion()
    for x in range(PLANNER_MOVES_MAX):
        assert not motion.is_full
        motion.plan(f"G1 X{x + 1} F60", 0.0)
    assert motion.is_full
    motion.forget_finished(motion.next_end_s)
    assert not motion.is_full
