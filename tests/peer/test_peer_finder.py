import pytest

from crdtqueue.adapters.links import Address
from crdtqueue.core.errors import Invalid
from crdtqueue.peer.peer_finder import Whereabouts


def test_addresses_and_auto_survive_the_store() -> None:
    where = Whereabouts.parse(["mk3s.local:7420", " AUTO ", "mk3s.local:7420"])
    assert where == Whereabouts(addresses=(Address(host="mk3s.local", port=7420),), auto=True)
    assert Whereabouts.parse(where.texts()) == where


@pytest.mark.parametrize("text", ["", "automatic", "auto:1:2", "host"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no peer address"):
        Whereabouts.parse(["auto", text])
