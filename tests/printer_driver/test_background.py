import threading

from printer_driver.background import TASKS_MAX, Background
from tests.harness.patience import HANG_S


def test_tasks_run_in_their_order_in_another_thread() -> None:
    background, done = Background(), threading.Event()
    seen: list[int] = []
    for number in range(5):
        assert background.run(lambda number=number: seen.append(number))  # type: ignore[misc]
    background.run(done.set)
    assert done.wait(HANG_S)
    assert seen == list(range(5))


def test_a_bad_task_is_not_the_last() -> None:
    background, done = Background(), threading.Event()
    background.run(lambda: 1 / 0)  # type: ignore[arg-type]
    background.run(done.set)
    assert done.wait(HANG_S)


def test_a_disk_that_hangs_fills_no_memory() -> None:
    background, go_on, begun = Background(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go_on.wait(HANG_S)

    assert background.run(hang)
    assert begun.wait(HANG_S)
    assert all(background.run(lambda: None) for _ in range(TASKS_MAX))
    assert not background.run(lambda: None)
    go_on.set()
