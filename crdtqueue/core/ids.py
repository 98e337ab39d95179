"""The ids that travel between peers."""

import hashlib
from dataclasses import dataclass
from typing import NewType

PeerId = NewType("PeerId", str)
"""Random, made once for each installation and kept in its store."""

JobId = NewType("JobId", str)
SetId = NewType("SetId", str)
Sha256 = NewType("Sha256", str)
"""64 lower-case hexadecimal digits: what a g-code file is known by, everywhere."""

Profile = NewType("Profile", str)
"""The kind of printer that a file was sliced for, see `crdtqueue.core.document.profiles`."""

QueueName = NewType("QueueName", str)
PrintId = NewType("PrintId", str)
"""One start of one file: `Claim` as a key, a slash, the number of the print under that claim."""

ID_ALPHABET = frozenset("0123456789abcdef")
PEER_ID_CHARS = 16
JOB_ID_CHARS = 12
SET_ID_CHARS = 6


def is_id(text: object, chars: int) -> bool:
    """Whether `text` is an id of this length, as peers make them."""
    return isinstance(text, str) and len(text) == chars and ID_ALPHABET.issuperset(text)


def is_sha256(text: object) -> bool:
    """Whether `text` can be a `Sha256`."""
    return is_id(text, 64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The fencing token of one attempt to own one job.

    `epoch` counts the claims of the job, `incarnation` the starts of the peer's process. With both,
    no two claims are ever equal, so every record names exactly one of them.
    """

    job: JobId
    epoch: int
    peer: PeerId
    incarnation: int

    @property
    def key(self) -> str:
        """The claim as a document key: `job/epoch/peer/incarnation`."""
        return f"{self.job}/{self.epoch}/{self.peer}/{self.incarnation}"

    @property
    def rank(self) -> tuple[int, bytes]:
        """Orders competing claims of one job, the same way on every peer: the highest wins.

        The hash makes no peer luckier than another over many jobs.
        """
        return self.epoch, hashlib.sha256(self.key.encode()).digest()

    @classmethod
    def from_key(cls, key: str) -> "Claim | None":
        """The claim that `key` names, or None if it is none."""
        match key.split("/"):
            case [job, epoch, peer, incarnation] if (
                is_id(job, JOB_ID_CHARS)
                and is_id(peer, PEER_ID_CHARS)
                and is_count(epoch)
                and is_count(incarnation)
            ):
                return cls(
                    job=JobId(job),
                    epoch=int(epoch),
                    peer=PeerId(peer),
                    incarnation=int(incarnation),
                )
        return None

    def print_id(self, number: int) -> PrintId:
        """The id of the `number`th print under this claim, counted from 1."""
        return PrintId(f"{self.key}/{number}")


def claim_of_print(print_id: str) -> tuple[Claim, int] | None:
    """The claim and number that made `print_id`, or None if it is not one of ours."""
    key, _, number = print_id.rpartition("/")
    claim = Claim.from_key(key)
    return (claim, int(number)) if claim and is_count(number) else None


def is_count(text: str) -> bool:
    """Whether `text` is a whole number in the one form that we write, of at most 9 digits."""
    return text.isascii() and text.isdigit() and len(text) <= 9 and str(int(text)) == text
