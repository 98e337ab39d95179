"""What is shown as JSON text, beside what of it is news: that time has passed is none."""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from crdtqueue.core.sentences import Sentence, Span

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """JSON text; `gist` is equal for two of them that differ only by the time between them."""

    text: str
    gist: tuple[str, ...]


def shown(fields: Json, now_s: float) -> Shown:
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
    gist = json.dumps(fields, default=at_rest) if goes_on else text
    return Shown(text=text, gist=(gist,))


def parts_of(sentence: Sentence) -> list[str | Json]:
    """A sentence for who goes on counting: texts, and durations until now or from now."""
    return [
        part if isinstance(part, str) else {"in_s" if part.is_left else "for_s": part}
        for part in sentence.parts
    ]


def nested(head: Shown, key: str, items: list[Shown]) -> Shown:
    """The object `head` with an array of `items` as its last field."""
    texts = ", ".join(item.text for item in items)
    gists = (gist for item in items for gist in item.gist)
    return Shown(text=f'{head.text[:-1]}, "{key}": [{texts}]}}', gist=(*head.gist, *gists))
