import pytest

from crdtqueue.adapters.links import Address
from crdtqueue.core.errors import Invalid
from crdtqueue.peer.peer_finder import PeerSources


def test_addresses_and_auto_survive_the_store() -> None:
    where = PeerSources.parse(["mk3s.local:7420", " AUTO ", "mk3s.local:7420"])
    assert where == PeerSources(addresses=(Address(host="mk3s.local", port=7420),), auto=True)
    assert PeerSources.parse(where.texts()) == where


@pytest.mark.parametrize("text", ["", "automatic", "auto:1:2", "host"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no peer address"):
        PeerSources.parse(["auto", text])
