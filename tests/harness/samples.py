"""Small values for the tests of the core: ids that read well, jobs, records, claims."""

from __future__ import annotations

from collections.abc import Mapping

from crdtqueue.core.document.model import (
    FileRef,
    Job,
    PrintSet,
    Result,
    RunRecord,
)
from crdtqueue.core.ids import Claim, JobId, PeerId, Profile, SetId, Sha256

MK3S = Profile("MK3S")
ENDER = Profile("ENDER")
JOB = JobId("00000000000a")
JOB_2 = JobId("00000000000b")
ME = PeerId("00000000000000aa")
SET_A = SetId("00000a")
SET_B = SetId("00000b")


def peer(number: int) -> PeerId:
    return PeerId(f"{number:016x}")


def a_claim(owner: PeerId = ME, *, job: JobId = JOB, epoch: int = 1, incarnation: int = 1) -> Claim:
    return Claim(job=job, epoch=epoch, peer=owner, incarnation=incarnation)


def file(name: str = "part.gcode") -> FileRef:
    return FileRef(sha256=Sha256(name[0].encode().hex() * 32), name=name, size_bytes=1000)


def print_set(
    set_id: SetId = SET_A,
    *,
    copies: int = 1,
    profiles: frozenset[Profile] = frozenset({MK3S}),
    name: str = "part.gcode",
    extras: Mapping[tuple[int, int], int] | None = None,
) -> PrintSet:
    return PrintSet(
        id=set_id,
        order=set_id,
        file=file(name),
        copies=copies,
        profiles=profiles,
        extras=extras or {},
    )


def record(
    claim: Claim,
    number: int = 1,
    *,
    set_id: SetId = SET_A,
    result: Result = Result.DONE,
    generation: int = 0,
    profile: Profile = MK3S,
    reason: str = "",
    ended_at_s: float = 2.0,
    run: int = 1,
    copy: int = 1,
) -> RunRecord:
    return RunRecord(
        print_id=claim.print_id(number),
        generation=generation,
        run=run,
        copy=copy,
        set=set_id,
        profile=profile,
        result=result,
        reason=reason,
        started_at_s=1.0,
        ended_at_s=ended_at_s,
        bytes=10,
    )


def a_job(
    *sets: PrintSet,
    job: JobId = JOB,
    runs: int = 1,
    records: tuple[RunRecord, ...] = (),
    paused: bool = False,
    generation: int = 0,
) -> Job:
    return Job(
        id=job,
        name="Brackets",
        order="K",
        runs=runs,
        generation=generation,
        paused=paused,
        created_by="Ann",
        created_at_s=5.0,
        sets=sets or (print_set(),),
        records=records,
    )
