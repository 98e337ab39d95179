"""The state as JSON, and a fingerprint that ignores fields that only count time."""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from crdtqueue.core.durations import (
    Sentence,
    Span,
)

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class StateText:
    """JSON text. Two texts that differ only in fields that count time have equal fingerprints."""

    text: str
    fingerprint: tuple[str, ...]


def state_text(fields: Json, now_s: float) -> StateText:
    """`fields` as JSON, in which a `Span` is a number of seconds and a `Sentence` its text."""
    goes_on = False

    def in_full(value: Sentence | Span) -> float | str:
        nonlocal goes_on
        goes_on = True
        return round(value.seconds, 1) if isinstance(value, Span) else str(value)

    def at_rest(value: Sentence | Span) -> object:
        if isinstance(value, Span):
            return value.reference_s(now_s)
        return parts_of(value)

    text = json.dumps(fields, default=in_full)
    fingerprint = json.dumps(fields, default=at_rest) if goes_on else text
    return StateText(text=text, fingerprint=(fingerprint,))


def parts_of(sentence: Sentence) -> list[str | Json]:
    """A sentence for who goes on counting: texts, and durations until now or from now."""
    return [
        part if isinstance(part, str) else {"in_s" if part.is_left else "for_s": part}
        for part in sentence.parts
    ]


def nested(head: StateText, key: str, items: list[StateText]) -> StateText:
    """The object `head` with an array of `items` as its last field."""
    texts = ", ".join(item.text for item in items)
    fingerprints = (fingerprint for item in items for fingerprint in item.fingerprint)
    return StateText(
        text=f'{head.text[:-1]}, "{key}": [{texts}]}}',
        fingerprint=(*head.fingerprint, *fingerprints),
    )
