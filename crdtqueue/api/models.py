"""The requests of the API, checked, and with a sentence for people when something is wrong."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crdtqueue.core.errors import Invalid
from crdtqueue.core.model import COUNT_MAX, NAME_CHARS_MAX, SETS_PER_JOB_MAX

BODY_BYTES_MAX = 1024 * 1024

Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", str_strip_whitespace=True)


class NewSet(_Request):
    """One file of a new job. The file has been uploaded before."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: Name
    copies: Count = 1
    profiles: Annotated[list[Name], Field(min_length=1, max_length=64)]


class NewJob(_Request):
    """A job to add at the end of a queue."""

    name: Name
    runs: Count = 1
    sets: Annotated[list[NewSet], Field(min_length=1, max_length=SETS_PER_JOB_MAX)]


class NewQueue(_Request):
    """A LAN queue to make or join, and where its peers are: `host:port` or `auto`."""

    name: str
    peers: list[str] = []


class Move(_Request):
    """The queue that a job is moved to."""

    to: str


class Managing(_Request):
    """Whether the queues may use this peer's printer."""

    managing: bool


_Model = TypeVar("_Model", bound=_Request)


def read(model: type[_Model], body: bytes) -> _Model:
    """The request in `body`. Raises Invalid, naming the field that is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100]
        raise Invalid(f"{where or 'The request'}: {first['msg']}.") from None
