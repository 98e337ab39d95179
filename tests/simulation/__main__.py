"""Runs storms by hand: many, or one again.

python -m tests.simulation --seeds 0:10000
python -m tests.simulation --seed 4711 --trace
python -m tests.simulation --seed 4711 --real --mutant "no ARM"
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from tests.simulation.claim_judge import Broken
from tests.simulation.claim_mutants import MUTANTS
from tests.simulation.claim_peer import Kit
from tests.simulation.claim_storms import Storm, weather


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", default="0:200", help="first:last of the storms to run")
    parser.add_argument("--seed", type=int, help="run this one only, and show its end")
    parser.add_argument("--real", action="store_true", help="with documents of the CRDT library")
    parser.add_argument("--mutant", choices=MUTANTS, help="with this broken on purpose")
    parser.add_argument(
        "--trace", action="store_true", help="show what tells the storm from others"
    )
    args = parser.parse_args()
    kit = MUTANTS[args.mutant].kit if args.mutant else Kit()
    if args.seed is not None:
        run_one(args.seed, kit, real=args.real, trace=args.trace)
    else:
        first, last = (int(each) for each in args.seeds.split(":"))
        run_many(range(first, last), kit, real=args.real)


def run_one(seed: int, kit: Kit, *, real: bool, trace: bool) -> None:
    """One storm, with the end of its story."""
    storm = Storm(seed, kit=kit, real=real)
    try:
        storm.run()
    finally:
        print(storm.world.trace if trace else storm.world.notes)


def run_many(seeds: range, kit: Kit, *, real: bool) -> None:
    """Many storms, and what there was in all of them."""
    totals: Counter[str] = Counter()
    began_s = time.monotonic()
    for seed in seeds:
        try:
            storm = weather(seed, kit=kit, real=real)
        except Broken as error:
            totals["broken"] += 1
            print(f"{type(error).__name__}: {error}", *error.__notes__, sep="\n")
            continue
        kind = f"{storm.plan.kind.value} {storm.plan.mode.value}"
        totals[f"{kind}: storms"] += 1
        totals[f"{kind}: prints"] += len(storm.judge.finished)
        totals[f"{kind}: two heated at once"] += storm.judge.overlaps
        totals["claims marked lost"] += storm.judge.lost_marks
    for what, count in sorted(totals.items()):
        print(f"{what}: {count}")
    print(f"{time.monotonic() - began_s:.0f} s")


if __name__ == "__main__":
    main()
