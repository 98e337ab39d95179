"""The requests of the API, validated. A bad request is answered with a sentence for people."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from crdtqueue.core.document.model import (
    COUNT_MAX,
    MATERIALS_MAX,
    METADATA_CHARS_MAX,
    NAME_CHARS_MAX,
    NOTE_CHARS_MAX,
    SETS_PER_JOB_MAX,
    VOTERS_MAX,
    Mode,
    Strategy,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.scripts import SCRIPT_BYTES_MAX

BODY_BYTES_MAX = 1024 * 1024

Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]
Note = Annotated[str, Field(max_length=NOTE_CHARS_MAX)]
Profiles = Annotated[list[Name], Field(min_length=1, max_length=64)]
Material = Annotated[str, Field(max_length=NAME_CHARS_MAX)]
Materials = Annotated[list[Material], Field(max_length=MATERIALS_MAX)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", str_strip_whitespace=True)


class NewSet(_Request):
    """One file of a new job. The file has already been uploaded."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: Name
    copies: Count = 1
    profiles: Profiles
    materials: Materials = []
    metadata: Annotated[str, Field(max_length=METADATA_CHARS_MAX)] = ""


class NewJob(_Request):
    """A job to add at the end of a queue."""

    name: Name
    runs: Count = 1
    note: Note = ""
    draft: bool = False
    sets: Annotated[list[NewSet], Field(min_length=1, max_length=SETS_PER_JOB_MAX)]


class JobEdit(_Request):
    """New values for some of a job's fields."""

    name: Name | None = None
    runs: Count | None = None
    note: Note | None = None


class NewSets(_Request):
    """Sets to add together at the end of a job."""

    sets: Annotated[list[NewSet], Field(min_length=1, max_length=SETS_PER_JOB_MAX)]


class SetEdit(_Request):
    """New values for some fields of a set. `extra` counts additional copies of the present run."""

    copies: Count | None = None
    extra: Count | None = None
    profiles: Profiles | None = None
    materials: Materials | None = None


class Place(_Request):
    """The job or set that this one is placed before; null places it at the end."""

    before: str | None = None


class NewQueue(_Request):
    """A LAN queue to create or join, and the addresses of its peers: `host:port` or `auto`."""

    name: str
    peers: list[str] = []


class Move(_Request):
    """The queue that a job is moved to, and the job there that it is placed before."""

    to: str
    before: str | None = None


class PrintAgain(_Request):
    """A print of the history, and the queue in which a new job with its file is made."""

    print_id: Annotated[str, Field(max_length=NAME_CHARS_MAX)]
    queue: str


class QueueEdit(_Request):
    """New values for some settings of a queue."""

    strategy: Annotated[Strategy, Field(strict=False)] | None = None
    mode: Annotated[Mode, Field(strict=False)] | None = None
    voters: Annotated[list[str], Field(max_length=VOTERS_MAX)] | None = None


class Managing(_Request):
    """Whether the queues may use this peer's printer."""

    managing: bool


class NewScript(_Request):
    """G-code that the printer runs on an event."""

    gcode: Annotated[str, Field(min_length=1, max_length=SCRIPT_BYTES_MAX)]


class Spools(_Request):
    """The material in each tool of the printer; empty where it does not matter.

    With a list, a print waits until its material is loaded. Null switches that off.
    """

    materials: Materials | None


_Model = TypeVar("_Model", bound=_Request)


def read(model: type[_Model], body: bytes) -> _Model:
    """The request in `body`. Raises Invalid, naming the field that is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(_sentence(first)) from None


def _sentence(error: ErrorDetails) -> str:
    """What to change, and where."""
    where = ".".join(str(part) for part in error["loc"])[:100]
    limits = error.get("ctx", {})
    match error["type"]:
        case "greater_than_equal" | "less_than_equal":
            return f"Give a number from 0 to {COUNT_MAX:,} ({where})."
        case "int_type" | "int_from_float" | "int_parsing":
            return f"Give a whole number ({where})."
        case "string_too_short":
            return f"Give at least one character ({where})."
        case "string_too_long":
            return f"Use at most {limits['max_length']:,} characters ({where})."
        case "too_short":
            return f"Give at least {limits['min_length']} ({where})."
        case "too_long":
            return f"Give at most {limits['max_length']} ({where})."
        case _:
            return f"{where or 'The request'}: {error['msg']}."
