"""Feeds damaged and nonsensical updates and state vectors to a document, in a process of its own.

    python crdt_fuzz_child.py BACKEND SEED COUNT

Prints how often each outcome occurred, as JSON. A panic, a changed document after a refusal, or a
document that no longer passes its own checks ends it with an error; an abort kills it.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from importlib import import_module
from typing import TypeAlias

from crdtqueue.adapters.crdt.facade import ApplyResult, Document
from crdtqueue.core.document.keys import ROOTS
from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs.lib0 import (
    JsonValue,
    write_json_value,
    write_var_string,
    write_var_uint,
)
from crdtqueue.core.yjs.update_parser import (
    encode_state_vector,
    has_gap,
    parse_state_vector,
    parse_update,
)

KEYS = ("a", "b", "0123456789ab/name", "a long key with ünïcödé")
VALUES: tuple[JsonValue, ...] = (
    None,
    True,
    0,
    -7,
    1.5,
    2**40,
    "text",
    "é😀",
    [1, [2, {}]],
    {"x": {"y": [None]}},
)
CLIENTS = (11, 12, 13)
ROUNDS_PER_DOCUMENT = 100

Chance: TypeAlias = random.Random
Corpus: TypeAlias = list[bytes]


def open_with(backend: str, client_id: int) -> Document:
    module = import_module(f"crdtqueue.adapters.crdt.{backend}_backend")
    library = module.open_backend(client_id, ROOTS)
    return Document(backend=library, client_id=client_id, roots=ROOTS)


def grow(documents: list[Document], chance: Chance) -> Corpus:
    """Edit the documents at random, sync them all, and return the updates in a sound order."""
    updates: Corpus = []
    stops = [document.on_update(updates.append) for document in documents]
    documents[0].set("jobs", "a", 1)
    roots = chance.sample(sorted(ROOTS), 3)
    for _ in range(chance.randint(4, 12)):
        document = chance.choice(documents)
        root, key = chance.choice(roots), chance.choice(KEYS)
        if chance.random() < 0.25:
            document.delete(root, key)
        else:
            document.set(root, key, chance.choice(VALUES))
        if chance.random() < 0.4:
            sync(documents)
    for stop in stops:
        stop()
    sync(documents)
    return updates


def sync(documents: list[Document]) -> None:
    for one in documents:
        for other in documents:
            one.apply(other.diff(one.state_vector()))


def corrupt(data: bytes, chance: Chance) -> bytes:
    """Damage bytes as a broken or hostile sender would."""
    broken = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(broken) + 1)
        match chance.randrange(6):
            case 0 if at < len(broken):
                broken[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(broken):
                broken[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 2:
                del broken[at:]
            case 3:
                broken[at:at] = chance.randbytes(chance.randint(1, 6))
            case 4:
                broken[at : at + 1] = b"\xff\xff\xff\xff\x0f"
            case 5:
                del broken[at : at + chance.randint(1, 4)]
    return bytes(broken)


def nonsense(known: dict[int, int], chance: Chance) -> bytes:
    """Return a well-formed update whose items overlap, contradict and depend at random."""
    others = [client for client in [*known, 7, 2**32 - 1] if client != CLIENTS[0]]
    clients = chance.sample(others, chance.randint(0, min(2, len(others))))
    if chance.random() < 0.05:
        clients.append(CLIENTS[0])
    blocks = [block(client, known, chance) for client in clients]
    deleting = chance.sample([*known], chance.randint(0, len(known)))
    deletes = [write_var_uint(len(deleting))]
    for client in deleting:
        deletes += [write_var_uint(client), b"\x02"]
        for _ in range(2):
            first = chance.randrange(known[client])
            length = chance.randint(1, known[client] - first + (chance.random() < 0.05))
            deletes += [write_var_uint(first), write_var_uint(length)]
    return write_var_uint(len(blocks)) + b"".join(blocks + deletes)


def block(client: int, known: dict[int, int], chance: Chance) -> bytes:
    ours = known.get(client, 0)
    clock = max(0, ours - chance.choice((0, 0, 1, 2, 5)))
    items = [item(known, chance) for _ in range(chance.randint(1, 4))]
    header = (len(items), client, clock)
    return b"".join([*map(write_var_uint, header), *items])


def item(known: dict[int, int], chance: Chance) -> bytes:
    deleted = chance.random() < 0.4
    kind = 1 if deleted else 8
    count = chance.choice((1, 1, 1, 2, 5)) if deleted or chance.random() < 0.02 else 1
    content = write_var_uint(count)
    if not deleted:
        content += b"".join(write_json_value(chance.choice(VALUES)) for _ in range(count))
    if known and chance.random() < 0.6:
        origin = chance.choice([*known])
        flags = kind | chance.choice((0x80, 0xA0))
        place = write_var_uint(origin) + write_var_uint(chance.randrange(known[origin]))
    else:
        flags = kind | 0x20
        root, key = chance.choice(sorted(ROOTS)), chance.choice(KEYS)
        place = b"\x01" + write_var_string(root) + write_var_string(key)
    return bytes((flags,)) + place + content


def hostile_update(document: Document, corpus: Corpus, chance: Chance) -> bytes:
    match chance.randrange(8):
        case 0:
            return chance.randbytes(chance.randint(0, 60))
        case 1:
            one, other = chance.choice(corpus), chance.choice(corpus)
            return one[: chance.randrange(len(one))] + other[chance.randrange(len(other)) :]
        case 2:
            return corrupt(document.diff(b"\x00"), chance)
        case 3:
            return corrupt(chance.choice(corpus), chance)
        case _:
            return nonsense(known_clocks(document), chance)


def hostile_state_vector(document: Document, chance: Chance) -> bytes:
    known = known_clocks(document)
    match chance.randrange(3):
        case 0:
            return chance.randbytes(chance.randint(0, 20))
        case 1:
            return corrupt(encode_state_vector(known), chance)
        case _:
            clocks = dict(known)
            for client, clock in known.items():
                choices = (0, 1, clock, clock + 1, 2**31 - 1, chance.randint(0, clock))
                clocks[client] = chance.choice(choices)
            return encode_state_vector({**clocks, chance.getrandbits(32): chance.getrandbits(31)})


def known_clocks(document: Document) -> dict[int, int]:
    """Return the state vector in a fixed order, so that a seed always gives the same run."""
    return dict(sorted(parse_state_vector(document.state_vector()).items()))


def state(document: Document) -> tuple[str, dict[int, int]]:
    content = json.dumps(document.read(), sort_keys=True, allow_nan=False)
    return content, known_clocks(document)


def attack_apply(document: Document, corpus: Corpus, chance: Chance) -> str:
    before = state(document)
    update = hostile_update(document, corpus, chance)
    try:
        result = document.apply(update)
    except Hostile:
        assert state(document) == before, update.hex()
        return "apply refused"
    if result is not ApplyResult.APPLIED:
        assert state(document) == before, update.hex()
    else:
        parse_update(document.diff(b"\x00"), ROOTS)
        state(document)
    return f"apply {result.name.lower()}"


def attack_diff(document: Document, chance: Chance) -> str:
    before = state(document)
    state_vector = hostile_state_vector(document, chance)
    try:
        update = document.diff(state_vector)
    except Hostile:
        return "diff refused"
    finally:
        assert state(document) == before, state_vector.hex()
    summary = parse_update(update, ROOTS)
    merged = dict(before[1])
    merged.update(parse_state_vector(state_vector))
    assert not has_gap(summary, merged), state_vector.hex()
    return "diff given"


def run(backend: str, seed: int, count: int) -> Counter[str]:
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    while outcomes.total() < count:
        documents = [open_with(backend, client) for client in CLIENTS]
        corpus = grow(documents, chance)
        victim = documents[0]
        for _ in range(min(ROUNDS_PER_DOCUMENT, count - outcomes.total())):
            if chance.random() < 0.75:
                outcome = attack_apply(victim, corpus, chance)
            else:
                outcome = attack_diff(victim, chance)
            outcomes[outcome] += 1
        for document in documents:
            document.close()
    return outcomes


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
