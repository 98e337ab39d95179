from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document.model import Strategy
from crdtqueue.core.ids import JobId, QueueName
from crdtqueue.core.worker.materials import Loaded
from crdtqueue.core.worker.strategy import (
    OVERTAKEN_MAX,
    Offer,
    Overtaken,
    after_taking,
    in_turn,
)

QUEUE = QueueName("workshop")


def offers(*materials: str) -> tuple[Offer, ...]:
    return tuple(
        Offer(job=JobId(f"{number:012x}"), materials=(material,))
        for number, material in enumerate(materials)
    )


def order(given: tuple[Offer, ...], loaded: str, times: int = 0) -> list[str]:
    first = Overtaken(queue=QUEUE, job=given[0].job, times=times)
    turn = in_turn(
        given,
        strategy=Strategy.LEAST_CHANGES,
        loaded=Loaded(tools=(loaded,)),
        overtaken=first,
    )
    return [offer.materials[0] for offer in turn]


def test_in_order_is_the_order_of_the_queue() -> None:
    given = offers("PETG", "PLA")
    loaded = Loaded(tools=("PLA",))
    assert in_turn(given, strategy=Strategy.IN_ORDER, loaded=loaded, overtaken=None) == given


def test_fewest_changes_come_first_and_among_equals_the_order_counts() -> None:
    assert order(offers("PETG", "PLA", "ABS", "PLA"), "PLA") == ["PLA", "PLA", "PETG", "ABS"]
    assert order(offers("PETG", "PLA"), "") == ["PETG", "PLA"]


def test_whoever_was_overtaken_often_enough_comes_first() -> None:
    assert order(offers("PETG", "PLA"), "PLA", OVERTAKEN_MAX - 1) == ["PLA", "PETG"]
    assert order(offers("PETG", "PLA"), "PLA", OVERTAKEN_MAX) == ["PETG", "PLA"]


def test_somebody_elses_count_does_not_count() -> None:
    other = Overtaken(queue=QUEUE, job=JobId("f" * 12), times=OVERTAKEN_MAX)
    given = offers("PETG", "PLA")
    loaded = Loaded(tools=("PLA",))
    turn = in_turn(given, strategy=Strategy.LEAST_CHANGES, loaded=loaded, overtaken=other)
    assert turn[0].materials == ("PLA",)
    after = after_taking(given[1].job, given, queue=QUEUE, overtaken=other)
    assert after == Overtaken(queue=QUEUE, job=given[0].job, times=1)
    assert after_taking(given[0].job, given, queue=QUEUE, overtaken=after) is None
    assert after_taking(given[0].job, (), queue=QUEUE, overtaken=None) is None


@given(st.lists(st.sampled_from(["PLA", "PETG", ""]), min_size=1, max_size=8), st.data())
def test_every_job_is_taken_however_many_others_come_in(
    materials: list[str], data: st.DataObject
) -> None:
    waiting = list(offers(*materials))
    last, overtaken = waiting[-1].job, None
    loaded = Loaded(tools=("PLA",))
    for number in range(len(waiting) * (OVERTAKEN_MAX + 1)):
        turn = in_turn(
            tuple(waiting), strategy=Strategy.LEAST_CHANGES, loaded=loaded, overtaken=overtaken
        )
        taken = turn[0]
        overtaken = after_taking(taken.job, tuple(waiting), queue=QUEUE, overtaken=overtaken)
        loaded = loaded.used(taken.materials)
        waiting.remove(taken)
        if taken.job == last:
            return
        new = data.draw(st.sampled_from(["PLA", "PETG"]))
        waiting.append(Offer(job=JobId(f"{100 + number:012x}"), materials=(new,)))
    raise AssertionError("it starves")
