"""States as a peer's API gives them, for the page to show."""

import time
from typing import Any

Json = dict[str, Any]


def printer(**changes: Any) -> Json:
    return {
        "name": "mk3s-left",
        "profile": "MK3S",
        "state": "idle",
        "text": "Ready. It takes the next job that fits.",
        "managing": True,
        "bed_clear": True,
        "queue": "workshop",
        "job_id": None,
        "file_name": None,
        "progress": None,
        "elapsed_s": None,
        "temperatures": [
            {"name": "tool0", "actual_c": 24.6, "target_c": 0.0},
            {"name": "bed", "actual_c": 23.9, "target_c": 0.0},
        ],
        "loaded": [],
        "asks_for_material": False,
        "missing": {},
        "scripts": [],
        **changes,
    }


def printing(**changes: Any) -> Json:
    return (
        printer(
            state="printing",
            text="Printing pin_mk3s.gcode.",
            job_id="job-1",
            file_name="pin_mk3s.gcode",
            progress=0.42,
            elapsed_s=1830.0,
            temperatures=[
                {"name": "tool0", "actual_c": 214.9, "target_c": 215.0},
                {"name": "bed", "actual_c": 60.1, "target_c": 60.0},
            ],
        )
        | changes
    )


OWN_FACTS = ("loaded", "asks_for_material", "missing", "scripts")
"""What a peer says of its own printer only."""


def peer(name: str, **changes: Any) -> Json:
    told = changes.get("printer")
    if told:
        changes["printer"] = {key: told[key] for key in told if key not in OWN_FACTS}
    return {
        "id": f"id-{name}",
        "name": name,
        "profile": None,
        "self": False,
        "online": True,
        "heard_s": 1.2,
        "address": "192.168.1.9:7420",
        "printer": None,
        **changes,
    }


def print_set(name: str, profile: str, **changes: Any) -> Json:
    file = {"sha256": "0" * 64, "name": name, "size_bytes": 812_345}
    copies, done = changes.get("copies", 1), changes.get("done", 0)
    return {
        "id": f"set-{name}",
        "file": file,
        "copies": copies,
        "extra": 0,
        "profiles": [profile],
        "materials": [],
        "run_done": done,
        "run_total": copies + changes.get("extra", 0),
        "done": done,
        "pending": copies - done,
        "total": copies,
    } | changes


def job(number: int, name: str, **changes: Any) -> Json:
    return {
        "id": f"job-{number}",
        "name": name,
        "note": "",
        "runs": 1,
        "run": 1,
        "copies_done": 0,
        "copies_total": 1,
        "doubles": 0,
        "state": "waiting",
        "why": "Waiting for a printer with profile MK3S that is idle.",
        "why_parts": None,
        "paused": changes.get("state") == "paused",
        "deleting": False,
        "draft": None,
        "printing_by": None,
        "created_by": "workshop-laptop",
        "created_at_s": time.time() - 340,
        "safe_to_leave": True,
        "sets": [print_set("pin_mk3s.gcode", "MK3S")],
        **changes,
    }


def queue(name: str, peers: list[Json], jobs: list[Json], **changes: Any) -> Json:
    return {
        "name": name,
        "mode": "available",
        "voters": [],
        "voters_before": [],
        "strategy": "in-order",
        "open": True,
        "local": False,
        "synced": True,
        "peers": peers,
        "jobs": jobs,
        "deleted": [],
        **changes,
    }


def draft(**changes: Any) -> Json:
    return {"by": "mk3s-left", "self": True, "for_s": 0.0, **changes}


def history_entry(number: int, job_name: str, **changes: Any) -> Json:
    ended_at_s = time.time() - 7_000 * number
    return {
        "print_id": f"print-{number}",
        "queue": "workshop",
        "job_id": f"job-{number}",
        "job_name": job_name,
        "file_name": "pin_mk3s.gcode",
        "sha256": "0" * 64,
        "peer": "id-mk3s-left",
        "printer_name": "mk3s-left",
        "profile": "MK3S",
        "result": "done",
        "reason": "",
        "started_at_s": ended_at_s - 4_000,
        "ended_at_s": ended_at_s,
        "bytes": 812_345,
        "filament_mm": 4_321.0,
        "generation": 0,
        "run": 1,
        "double": False,
        **changes,
    }


def state(own: Json | None, queues: list[Json], **changes: Any) -> Json:
    about = {
        "id": "id-mk3s-left",
        "name": "mk3s-left",
        "version": "0.1.0",
        "address": "192.168.1.5:7420",
        "problems": [],
        "store_damaged": False,
    }
    return {"peer": about | changes, "printer": own, "queues": queues}


def workshop_peers(own: Json) -> list[Json]:
    mini = printing(
        name="mini",
        profile="MINI",
        text="Printing bracket_mini.gcode.",
        progress=0.87,
        file_name="bracket_mini.gcode",
        elapsed_s=5400.0,
    )
    return [
        peer("mk3s-left", profile="MK3S", self=True, heard_s=None, printer=own),
        peer("mini", profile="MINI", printer=mini),
        peer("ender", profile="ENDER3", online=False, heard_s=412.0),
        peer("workshop-laptop"),
    ]


def workshop_jobs() -> list[Json]:
    by_left = {
        "peer": "id-mk3s-left",
        "name": "mk3s-left",
        "progress": 0.42,
        "file_name": "pin_mk3s.gcode",
        "in_sight": True,
        "silent_s": None,
        "takeover_in_s": None,
    }
    pins = [
        print_set("pin_mk3s.gcode", "MK3S", copies=3, done=1),
        print_set("pin_mini.gcode", "MINI", copies=3),
    ]
    return [
        job(
            1,
            "Hinge pins",
            state="printing",
            why="mk3s-left is printing copy 2 of 3.",
            printing_by=by_left,
            copies_done=1,
            copies_total=3,
            sets=pins,
        ),
        job(
            2,
            "Shelf bracket",
            safe_to_leave=False,
            runs=2,
            copies_total=2,
            note="Grey filament, please.",
            why="Waiting: mk3s-left is printing, ender is out of sight.",
            sets=[print_set("bracket_ender3.gcode", "ENDER3", pending=2, total=2)],
        ),
        job(
            3,
            "Calibration cube",
            state="paused",
            why="Paused. Press Resume to let it be printed.",
            sets=[print_set("cube20_mk3s.gcode", "MK3S")],
        ),
        job(
            4,
            "Lamp foot",
            state="done",
            why="All copies are printed.",
            copies_done=2,
            copies_total=2,
            sets=[print_set("lamp_foot.gcode", "MK3S", copies=2, done=2)],
        ),
    ]


def workshop() -> Json:
    own = printing()
    return state(own, [queue("workshop", workshop_peers(own), workshop_jobs())])
