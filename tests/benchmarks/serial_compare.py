"""Our printer process beside OctoPrint's serial layer and Printrun: same printer, same file.

`python -m tests.benchmarks.serial_compare [wire] [starvation] [cpu] [memory]` prints Markdown. The
opponents live in environments of their own:

    python -m venv P && P/bin/pip install --no-deps printrun && P/bin/pip install pyserial
    export CRDTQUEUE_PRINTRUN_PYTHON=P/bin/python
    export CRDTQUEUE_OCTOPRINT_PYTHON=.venv/octoprint/bin/python
"""

import argparse
import contextlib
import itertools
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import serial_files as files
from tests.benchmarks.serial_hosts import Host, Job, Usage, hosts
from tests.benchmarks.serial_printers import Printer, instant_printer, virtual_printer

WIRE_LINES = 1500
CPU_LINES = 100_000
LARGE_BYTES = 500_000_000
LARGE_S = 30.0
LIMIT_S = 900.0
BAUDS = (115200, 250000)
LATENCIES_MS = (0, 1, 4, 16)
DENSE_FILE = Path(
    os.environ.get("CRDTQUEUE_DENSE_GCODE", "tests/data/gcode/twist_vase_mini.gcode.gz")
)
HURRY_PER_CENT = (100, 300)
SAMPLE_S = 0.2

_numbers = itertools.count(1)


@contextlib.contextmanager
def printing(host: Host, printer: Printer, baud: int, path: Path, work: Path) -> Iterator[Job]:
    """A print that has begun."""
    job = host.start(printer.port, baud, path, work / f"{host.name}-{next(_numbers)}")
    try:
        if not job.begun.wait(LIMIT_S) or job.problem:
            raise RuntimeError(f"{host.name} did not begin: {job.problem}")
        yield job
    finally:
        job.end()


def table(title: str, *columns: str) -> None:
    """Begin a table, as Markdown."""
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


def row(*cells: str) -> None:
    """One more row of it."""
    print(f"| {' | '.join(cells)} |", flush=True)


# --- lines per second ----------------------------------------------------------------------------


def lines_per_s(host: Host, baud: int, latency_ms: int, path: Path, work: Path) -> float:
    """As the printer sees it, without beginning and end."""
    samples: list[tuple[float, int]] = []
    with (
        virtual_printer(baud=baud, latency_ms=latency_ms) as printer,
        printing(host, printer, baud, path, work) as job,
    ):
        deadline_s = time.monotonic() + LIMIT_S
        while not job.over.is_set() and time.monotonic() < deadline_s:
            samples.append((time.monotonic(), printer.look()["totals"]["moves"]))
            time.sleep(SAMPLE_S)
    inside = [x for x in samples if WIRE_LINES * 0.1 < x[1] < WIRE_LINES * 0.95]
    (first_s, first), (last_s, last) = inside[0], inside[-1]
    return (last - first) / (last_s - first_s)


def compare_wire(work: Path) -> None:
    path = files.standstill(work / "standstill.gcode", WIRE_LINES)
    mean_bytes = len("N1234 G1 X110.123 Y97.456 E12.34567*99\n")
    table("Lines per second", "baud", "latency", "wire", *(host.name for host in hosts()))
    for baud, latency_ms in itertools.product(BAUDS, LATENCIES_MS):
        wire = baud / 10 / mean_bytes
        rates = [lines_per_s(host, baud, latency_ms, path, work) for host in hosts()]
        ours, *others = rates
        cells = [f"{ours:.0f} ({ours / wire:.0%} of the wire)"]
        cells += [f"{rate:.0f} (ours {ours / rate:.2f}×)" for rate in others]
        row(str(baud), f"{latency_ms} ms", f"{wire:.0f}", *cells)


# --- starvation ----------------------------------------------------------------------------------


def starvation(host: Host, baud: int, path: Path, work: Path) -> str:
    """How often the planner ran dry, for how long, and how long the print took."""
    with (
        virtual_printer(baud=baud, latency_ms=1) as printer,
        printing(host, printer, baud, path, work) as job,
    ):
        began_s = time.monotonic()
        job.over.wait(LIMIT_S)
        took_s, dry = time.monotonic() - began_s, printer.look()["starvation"]
    return f"{dry['times']} times, {dry['seconds']:.2f} s of {took_s:.0f} s"


def compare_starvation(work: Path) -> None:
    excerpt = files.densest(DENSE_FILE, work / "dense.gcode")
    title = f"Planner starvation, densest {files.DENSE_S:g} s of {DENSE_FILE.name}, 1 ms latency"
    table(title, "baud", "speed", "lines/s asked for", *(host.name for host in hosts()))
    for baud, per_cent in itertools.product(BAUDS, HURRY_PER_CENT):
        path = files.hurried(excerpt, work / f"dense-{per_cent}.gcode", per_cent)
        demand = files.demand_lines_per_s(path)
        cells = [starvation(host, baud, path, work) for host in hosts()]
        row(str(baud), f"{per_cent} %", f"{demand:.0f}", *cells)


# --- CPU and memory ------------------------------------------------------------------------------


def used(host: Host, path: Path, work: Path) -> tuple[Usage, Usage, float]:
    """At the beginning and at the end of a print on a printer that answers at once."""
    with instant_printer() as printer, printing(host, printer, 115200, path, work) as job:
        before, began_s = job.usage(), time.monotonic()
        if not job.over.wait(LIMIT_S) or job.problem:
            raise RuntimeError(f"{host.name}: {job.problem or 'took too long'}")
        return before, job.usage(), time.monotonic() - began_s


def compare_cpu(work: Path) -> None:
    path = files.standstill(work / "many.gcode", CPU_LINES)
    columns = ("host", "CPU per 100,000 lines", "ratio", "lines/s", "peak memory")
    table("An instant printer", *columns)
    ours_s = 0.0
    for host in hosts():
        before, after, took_s = used(host, path, work)
        cpu_s = (after.cpu_s - before.cpu_s) * 100_000 / CPU_LINES
        ours_s = ours_s or cpu_s
        ratio, memory = f"{cpu_s / ours_s:.1f}×", f"{after.rss_max_bytes / 1e6:.0f} MB"
        row(host.name, f"{cpu_s:.2f} s", ratio, f"{CPU_LINES / took_s:.0f}", memory)


def compare_memory(work: Path) -> None:
    """Ours alone: Printrun reads the whole file into objects, many times its size."""
    path = files.large(work / "large.gcode", LARGE_BYTES)
    table(f"Peak memory with a file of {LARGE_BYTES / 1e6:.0f} MB", "moment", "crdtqueue")
    with (
        instant_printer() as printer,
        printing(hosts()[0], printer, 115200, path, work) as job,
    ):
        row("after reading it through", f"{job.usage().rss_max_bytes / 1e6:.1f} MB")
        is_over = job.over.wait(LARGE_S)
        moment = "at the end" if is_over else f"after {LARGE_S:g} s of printing"
        row(moment, f"{job.usage().rss_max_bytes / 1e6:.1f} MB")


COMPARISONS = {
    "wire": compare_wire,
    "starvation": compare_starvation,
    "cpu": compare_cpu,
    "memory": compare_memory,
}


def main() -> None:
    """Run those named, or all."""
    parser = argparse.ArgumentParser(description="Our driver beside OctoPrint's and Printrun.")
    parser.add_argument("what", nargs="*", choices=[*COMPARISONS, []], help="all, if none is named")
    what = parser.parse_args().what or list(COMPARISONS)
    load = ", ".join(f"{x:.2f}" for x in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"load before: {load}; hosts: {', '.join(host.name for host in hosts())}")
    with tempfile.TemporaryDirectory() as folder:
        for name in what:
            COMPARISONS[name](Path(folder))
    print(f"\nload after: {', '.join(f'{x:.2f}' for x in os.getloadavg())}")


if __name__ == "__main__":
    main()
