"""What may be in an archive, and the names that are written into one."""

import stat
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document.model import FileRef
from crdtqueue.core.errors import Invalid
from crdtqueue.core.gjob import gjob_members
from crdtqueue.core.gjob.gjob_members import (
    MANIFEST_NAME,
    MEMBERS_MAX,
    STORED,
    Member,
    check_complete,
    check_members,
    check_name,
    distinct_names,
    portable_name,
    same_name,
)
from crdtqueue.core.ids import Sha256

PART = Member(name="part.gcode", size_bytes=1_000, packed_bytes=300)
MANIFEST = Member(name=MANIFEST_NAME, size_bytes=200, packed_bytes=200, method=STORED)
MIB = 1024**2


def check(*members: Member, archive_bytes: int = 10 * MIB) -> None:
    check_members(members, archive_bytes=archive_bytes, file_bytes_max=2_000 * MIB)


def file(name: str, number: int = 0) -> FileRef:
    return FileRef(sha256=Sha256(f"{number:064x}"), name=name, size_bytes=1)


def test_what_continuous_print_packs_is_fine() -> None:
    check(replace(PART, mode=0o100644), replace(PART, name="Bücher 3×.gcode"), MANIFEST)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "has no name"),
        ("  ", "has no name"),
        ("x" * 201, "longer than 200"),
        ("a\nb.gcode", "control characters"),
        ("a\0b.gcode", "control characters"),
        ("part\u202eedocg.exe", "control characters"),
        ("../part.gcode", "is a path"),
        ("a/../../part.gcode", "is a path"),
        ("sub/part.gcode", "is a path"),
        ("folder/", "is a path"),
        ("/etc/passwd", "is a path"),
        ("..\\part.gcode", "is a path"),
        ("\\\\server\\share", "is a path"),
        ("C:part.gcode", "is a path"),
        ("c:\\part.gcode", "is a path"),
        ("..", "no name of a file"),
        (".", "no name of a file"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        check_name(name)
    with pytest.raises(Invalid, match=says):
        check(MANIFEST, replace(PART, name=name))


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (replace(PART, mode=stat.S_IFLNK | 0o777), "is a link"),
        (replace(PART, mode=stat.S_IFCHR | 0o666), "is a link or a device"),
        (replace(PART, encrypted=True), "is encrypted"),
        (replace(PART, method=12), r"method 12"),
        (replace(PART, method=99), r"method 99"),
        (replace(PART, size_bytes=2_001 * MIB, packed_bytes=100 * MIB), "larger than 2000 MB"),
        (replace(PART, size_bytes=2 * MIB, packed_bytes=2_000), "looks like a bomb"),
        (replace(PART, size_bytes=2 * MIB, packed_bytes=0), "looks like a bomb"),
        (replace(PART, packed_bytes=11 * MIB), "overlap"),
        (replace(MANIFEST, size_bytes=2 * MIB), "manifest.json.*larger than 1 MB"),
    ],
)
def test_members_that_are_not_unpacked(member: Member, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        check(member)


def test_a_small_file_may_have_any_ratio() -> None:
    check(replace(PART, size_bytes=MIB, packed_bytes=1))


def test_the_archive_as_a_whole_has_limits() -> None:
    many = [replace(PART, name=f"{n}.gcode") for n in range(MEMBERS_MAX + 1)]
    check(*many[:-1])
    with pytest.raises(Invalid, match="202 files; 201 are the most"):
        check(*many)
    large = [replace(each, size_bytes=1_900 * MIB, packed_bytes=200 * MIB) for each in many[:3]]
    with pytest.raises(Invalid, match="more than 4 GB"):
        check(*large, archive_bytes=700 * MIB)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("part.gcode", "part.gcode"),
        ("part.gcode", "PART.gcode"),
        ("B\u00fccher.gcode", "Bu\u0308cher.gcode"),
        ("stra\u00dfe.gcode", "STRASSE.gcode"),
        (MANIFEST_NAME, "Manifest.JSON"),
    ],
)
def test_two_names_that_are_one_on_some_machine_are_refused(one: str, other: str) -> None:
    with pytest.raises(Invalid, match="is twice in"):
        check(replace(PART, name=one), replace(PART, name=other))


def test_the_archive_has_the_files_of_the_manifest_and_no_others() -> None:
    check_complete({MANIFEST_NAME, "a"}, {"a"})
    with pytest.raises(Invalid, match="names 'b', which is not in"):
        check_complete({MANIFEST_NAME, "a"}, {"a", "b"})
    with pytest.raises(Invalid, match="but no set of the manifest names it"):
        check_complete({MANIFEST_NAME, "a", "b"}, {"a"})


def test_different_files_of_one_name_are_kept_apart() -> None:
    files = [
        file("part.gcode", 1),
        file("part.gcode", 2),
        file("part.gcode", 1),
        file("PART.gcode", 3),
        file("part (2).gcode", 4),
        file("manifest.json", 5),
        file("part", 6),
    ]
    assert distinct_names(files) == {
        file("part.gcode", 1): "part.gcode",
        file("part.gcode", 2): "part (2).gcode",
        file("PART.gcode", 3): "PART (3).gcode",
        file("part (2).gcode", 4): "part (2) (2).gcode",
        file("manifest.json", 5): "manifest (2).json",
        file("part", 6): "part",
    }


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("part 3×.gcode", "part 3×.gcode"),
        ("a/b\\c:d?.gcode", "a_b_c_d_.gcode"),
        ("con.gcode", "_con.gcode"),
        ("COM1", "_COM1"),
        ("console.gcode", "console.gcode"),
        ("part.gcode. ", "part.gcode"),
        ("a\nb", "a_b"),
        ("...", "unnamed"),
        ("", "unnamed"),
        ("x" * 200 + ".gcode", "x" * 174 + ".gcode"),
        ("é" * 200 + ".gcode", "é" * 87 + ".gcode"),
    ],
)
def test_names_that_not_every_file_system_takes_are_changed(name: str, portable: str) -> None:
    assert portable_name(name) == portable


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=250), max_size=30))
def test_whatever_the_files_are_called_the_archive_is_one_that_we_read(names: list[str]) -> None:
    files = [file(name, number) for number, name in enumerate(names)]
    written = distinct_names(files)
    assert len({same_name(name) for name in written.values()}) == len(files)
    check(MANIFEST, *(replace(PART, name=name) for name in written.values()))
    assert all(len(name.encode()) < 255 for name in written.values())
    assert gjob_members.MANIFEST_NAME not in written.values()
