"""Reads the `manifest.json` of a `.gjob`, whoever has written it.

The fields are those that Continuous Print writes since its version 2.0. Fields of one installation
(`id`, `rank`, `sd`, `acquired`) and unknown fields are ignored. The field `crdtqueue` holds what
the format has no place for; Continuous Print ignores it.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from crdtqueue.core.document.model import (
    COUNT_MAX,
    MATERIALS_MAX,
    METADATA_CHARS_MAX,
    NAME_CHARS_MAX,
    NOTE_CHARS_MAX,
    SETS_PER_JOB_MAX,
)
from crdtqueue.core.document.profiles import parse_profile
from crdtqueue.core.errors import Invalid
from crdtqueue.core.gjob.gjob_members import (
    MANIFEST_BYTES_MAX,
    MANIFEST_NAME,
    check_name,
    is_plain,
    same_name,
)

CREATED_S_MAX = 253_402_300_799
"""The end of the year 9999, the last that calendars can show."""
MATERIAL_CHARS_MAX = 100
PROFILES_MAX = 64


def _number(value: object) -> object:
    """Continuous Print's page puts some edited counts into the manifest as text."""
    if isinstance(value, str) and len(value) <= 12 and value.isascii() and value.isdigit():
        return int(value)
    return value


def _plain(value: str) -> str:
    if not is_plain(value):
        raise ValueError("it has control characters")
    return value


def _no_zero(value: str) -> str:
    if "\0" in value:
        raise ValueError("it has zero characters")
    return value


def _file_name(value: str) -> str:
    check_name(value)
    return value


def _path(value: str) -> str:
    check_name(value)
    if same_name(value) == same_name(MANIFEST_NAME):
        raise ValueError("the manifest itself is no file to print")
    return value


def _profile(value: str) -> str:
    """As it is spelled. An empty one, as Continuous Print writes it, is none."""
    if value:
        parse_profile(value)
    return value


_Count = Annotated[int, Field(ge=0, le=COUNT_MAX), BeforeValidator(_number)]
_Seconds = Annotated[float, Field(ge=0, le=CREATED_S_MAX), BeforeValidator(_number)]
_FileName = Annotated[str, AfterValidator(_file_name)]
_Material = Annotated[str, Field(max_length=MATERIAL_CHARS_MAX), AfterValidator(_plain)]
_Profile = Annotated[str, AfterValidator(_profile)]
_Profiles = Annotated[list[_Profile | None], Field(max_length=PROFILES_MAX)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _OurSet(_Model):
    name: _FileName
    profiles: _Profiles


class _OurJob(_Model):
    note: Annotated[str, Field(max_length=NOTE_CHARS_MAX), AfterValidator(_no_zero)] = ""


class ManifestSet(_Model):
    """A set in the manifest."""

    path: Annotated[str, AfterValidator(_path)]
    count: _Count = 1
    remaining: _Count | None = None
    completed: _Count = 0
    materials: Annotated[list[_Material | None], Field(max_length=MATERIALS_MAX)] | None = None
    profiles: _Profiles | None = None
    metadata: (
        Annotated[str, Field(max_length=METADATA_CHARS_MAX), AfterValidator(_no_zero)] | None
    ) = None
    crdtqueue: _OurSet | None = None


class Manifest(_Model):
    """`manifest.json`, checked field by field; `parse_manifest` checks the relations between
    fields."""

    name: Annotated[str, Field(max_length=NAME_CHARS_MAX), AfterValidator(_plain)] = ""
    count: _Count = 1
    remaining: _Count | None = None
    created: _Seconds | None = None
    draft: bool = False
    sets: Annotated[list[ManifestSet], Field(max_length=SETS_PER_JOB_MAX)]
    crdtqueue: _OurJob = _OurJob()

    @property
    def paths(self) -> frozenset[str]:
        """The files that the sets name."""
        return frozenset(each.path for each in self.sets)


def parse_manifest(data: bytes) -> Manifest:
    """The manifest in `data`. Raises Invalid, naming the field that is wrong."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise Invalid(f"{MANIFEST_NAME} in the .gjob is larger than {MANIFEST_BYTES_MAX} bytes.")
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise Invalid(_sentence(error.errors(include_url=False)[0])) from None
    if manifest.remaining is not None and manifest.remaining > manifest.count:
        raise Invalid(
            f"The manifest of the .gjob says that {manifest.remaining} of {manifest.count} runs"
            " remain. Correct remaining or count in it, or export the job again."
        )
    return manifest


def _sentence(error: ErrorDetails) -> str:
    if error["type"] == "json_invalid":
        return (
            f"{MANIFEST_NAME} in the .gjob is damaged: {error['msg'][:200]}. Export the job again."
        )
    where = ".".join(str(p + 1 if isinstance(p, int) else p) for p in error["loc"])[:60]
    message = error["msg"].removeprefix("Value error, ")
    return (
        f"The manifest of the .gjob is wrong in {where or 'its form'}: {message}."
        " Correct it, or export the job again."
    )
