"""Whatever a printer says, the streamer is in a defined state and comes to rest: `reply_storm`."""

import pytest

from tests.simulation.reply_scene import storm_of
from tests.simulation.reply_storm import run

ONCE_FAILED = (33673, 35468, 38070, 40403, 40752, 40767, 41058, 107510, 203281, 209676)


@pytest.mark.parametrize("seed", [*range(40), *ONCE_FAILED])
def test_it_is_defined_at_every_moment_and_rests_in_the_end(seed: int) -> None:
    outcome = run(storm_of(seed))
    assert outcome.heard_bytes > 0
