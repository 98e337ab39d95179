"""Which file fits which printer.

Profiles are compared as a whole, never by part: `Voron V2` must not match `Monoprice Mini Delta
V2`.
"""

from collections.abc import Collection

from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import Profile

ANY = Profile("ANY")
"""The profile of a file that a person vouches for on every printer."""

PROFILE_CHARS_MAX = 64


def parse_profile(text: str) -> Profile:
    """`text` as people or slicers write it, in the one form that is compared.

    Upper case, single blanks. Raises Invalid for an empty, overlong or unprintable one.
    """
    profile = " ".join(text.split()).upper()
    if not profile:
        raise Invalid(
            "A profile is empty. Give the printer's model as the slicer names it, like MK3S."
        )
    if len(profile) > PROFILE_CHARS_MAX or not profile.isprintable():
        raise Invalid(
            f"{profile[:20]!r} is no profile. Use at most {PROFILE_CHARS_MAX} printable characters."
        )
    return Profile(profile)


def fits(profiles: Collection[Profile], printer: Profile) -> bool:
    """Whether a file made for `profiles` may be printed by a printer of profile `printer`."""
    return ANY in profiles or printer in profiles
