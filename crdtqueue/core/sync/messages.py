"""The messages between two linked peers, beside the document: JSON in frames of type 100.

Messages are not stored and not forwarded. The claim messages are those of `claims/claims.py`;
pieces of files come in frames of type 101.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crdtqueue.core.errors import Hostile
from crdtqueue.core.ids import (
    JOB_ID_CHARS,
    PEER_ID_CHARS,
    Claim,
    JobId,
    PeerId,
    Sha256,
)

MESSAGE_BYTES_MAX = 64 * 1024
PROTOCOL_VERSION = 1
PIECE_BYTES_MAX = 256 * 1024
DUPLICATE_PLACES_MAX = 8

PeerIdText = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{PEER_ID_CHARS}}}$")]
JobIdText = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{JOB_ID_CHARS}}}$")]
Sha256Text = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, le=999_999_999)]
Basis = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class ClaimText(_Message):
    """A `Claim` on the wire."""

    job: JobIdText
    epoch: Count
    peer: PeerIdText
    incarnation: Count

    @classmethod
    def of(cls, claim: Claim) -> "ClaimText":
        """`claim`, ready for the wire."""
        return cls(job=claim.job, epoch=claim.epoch, peer=claim.peer, incarnation=claim.incarnation)

    @property
    def claim(self) -> Claim:
        """What the other peer meant."""
        return Claim(
            job=JobId(self.job),
            epoch=self.epoch,
            peer=PeerId(self.peer),
            incarnation=self.incarnation,
        )


class Hello(_Message):
    """The first message of each side of a link."""

    kind: Literal["hello"] = "hello"
    version: Count = PROTOCOL_VERSION
    peer: PeerIdText
    incarnation: Count
    name: Name
    port: Annotated[int, Field(ge=1, le=65535)]
    instance: Annotated[str, Field(pattern=r"^[0-9a-f]{0,16}$")] = ""
    """Random, made at each start of the process, and never stored: a copied store has another."""


class PrinterSummary(_Message):
    """What a printer is doing, for people to read."""

    state: Name
    text: Name
    job: JobIdText | None = None
    next_job: JobIdText | None = None
    """The job that it takes next, as far as it can tell now."""
    file_name: Name | None = None
    progress: Annotated[float, Field(ge=0, le=1)] | None = None
    elapsed_s: Annotated[float, Field(ge=0)] | None = None
    temperatures: Annotated[list[tuple[Name, float, float]], Field(max_length=16)] = []
    managing: bool = True
    bed_clear: bool = True


class HeldClaim(_Message):
    """An open claim and how long ago the sender last heard of its owner; 0 for its own."""

    claim: ClaimText
    silent_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Heartbeat(_Message):
    """Sent every 2 s: the sender is alive, so are these claims, and its printer is doing this."""

    kind: Literal["heartbeat"] = "heartbeat"
    held: Annotated[list[HeldClaim], Field(max_length=200)] = []
    printer: PrinterSummary | None = None


class Ask(_Message):
    """The claimant asks for the job. `basis` is a digest of the claims and rules that it knows."""

    kind: Literal["ask"] = "ask"
    claim: ClaimText
    basis: Basis


class Grant(_Message):
    """The sender has promised the job to this claim, and the promise is durable."""

    kind: Literal["grant"] = "grant"
    claim: ClaimText


class Deny(_Message):
    """The sender refuses this claim."""

    kind: Literal["deny"] = "deny"
    claim: ClaimText
    reason: Name


class Arm(_Message):
    """The claimant has stored its start record and asks the receiver to store it, too."""

    kind: Literal["arm"] = "arm"
    claim: ClaimText
    basis: Basis


class Armed(_Message):
    """The start record is durable at the sender."""

    kind: Literal["armed"] = "armed"
    claim: ClaimText


class Release(_Message):
    """The claimant gives up a claim that is not armed."""

    kind: Literal["release"] = "release"
    claim: ClaimText


class Bye(_Message):
    """The sender stops, or leaves the queue: it will claim nothing more over this link.

    Without this message a closed link says nothing: the network may be down and the sender alive.
    """

    kind: Literal["bye"] = "bye"


class DuplicateIdentity(_Message):
    """The sender hears two processes with the receiver's identity, at `places`, and accepts
    neither."""

    kind: Literal["duplicate_identity"] = "duplicate_identity"
    places: Annotated[list[Name], Field(max_length=DUPLICATE_PLACES_MAX)]


class WantPiece(_Message):
    """Asks for at most `PIECE_BYTES_MAX` of a file from `offset`."""

    kind: Literal["want_piece"] = "want_piece"
    sha256: Sha256Text
    offset: Annotated[int, Field(ge=0, le=2**53)]


class NoPiece(_Message):
    """The sender does not have that file."""

    kind: Literal["no_piece"] = "no_piece"
    sha256: Sha256Text


ClaimMessage: TypeAlias = Ask | Grant | Deny | Arm | Armed | Release
Message: TypeAlias = (
    Hello | Heartbeat | Bye | DuplicateIdentity | ClaimMessage | WantPiece | NoPiece
)

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode(message: Message) -> str:
    """`message` as JSON text."""
    return message.model_dump_json(exclude_none=True)


def decode(text: str) -> Message:
    """The message in `text`. Raises Hostile for anything else."""
    if len(text) > MESSAGE_BYTES_MAX:
        raise Hostile(f"a message of {len(text)} characters")
    try:
        return _MESSAGE.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Hostile(f"no message: {first['msg'][:200]!r} at {first['loc']}") from None


def piece(sha256: Sha256, offset: int, data: bytes) -> bytes:
    """A piece of a file: hash (32 bytes), offset (8 bytes, big-endian), then the data."""
    return bytes.fromhex(sha256) + offset.to_bytes(8, "big") + data


def read_piece(payload: bytes) -> tuple[Sha256, int, bytes]:
    """Hash, offset and data of a piece. Raises Hostile if it cannot be one."""
    if not 40 <= len(payload) <= 40 + PIECE_BYTES_MAX:
        raise Hostile(f"a file piece of {len(payload)} bytes")
    return Sha256(payload[:32].hex()), int.from_bytes(payload[32:40], "big"), payload[40:]
