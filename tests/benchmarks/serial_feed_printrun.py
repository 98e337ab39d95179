"""Prints a file with Printrun's core; run by an interpreter that has Printrun.

`python serial_feed_printrun.py PORT BAUD FILE FOLDER` says `printing` and `done`.
"""

import os
import sys
import threading
import time
from pathlib import Path

from printrun import gcoder  # type: ignore[import-not-found]
from printrun.printcore import printcore  # type: ignore[import-not-found]

port, baud, path, _ = sys.argv[1:]
over = threading.Event()
core = printcore()
core.endcb = over.set
core.connect(port, int(baud))
deadline_s = time.monotonic() + 60
while not core.online:
    if time.monotonic() > deadline_s:
        sys.exit("Printrun did not connect")
    time.sleep(0.05)
gcode = gcoder.LightGCode(Path(path).read_text().splitlines())
print("printing", flush=True)
core.startprint(gcode)
over.wait()
print("done", flush=True)
sys.stdin.readline()
os._exit(0)
