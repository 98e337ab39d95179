"""Prints a file with OctoPrint's own serial layer; run by OctoPrint's interpreter, without us.

`python serial_feed_octoprint.py PORT BAUD FILE FOLDER` says `printing` and `done`.
"""

import sys
import threading
import time

import octoprint
import octoprint.events
import octoprint.printer.profile
import octoprint.settings

SETTLE_S = 5.0
"""Until what it does at its start is over and no longer counted."""

port, baud, path, folder = sys.argv[1:]
settings = octoprint.settings.settings(init=True, basedir=folder)
settings.setBoolean(["feature", "sdSupport"], False)
settings.set(["plugins", "_disabled"], ["crdtqueue"])
octoprint.init_pluginsystem(settings)  # its own plugins look at every line, as in every OctoPrint
octoprint.events.eventManager()

from octoprint.util.comm import MachineCom, MachineComPrintCallback  # noqa: E402 - needs settings

ready, over = threading.Event(), threading.Event()


class Listener(MachineComPrintCallback):  # type: ignore[misc]
    def on_comm_state_change(self, state: int) -> None:
        if state == MachineCom.STATE_OPERATIONAL:
            ready.set()

    def on_comm_print_job_done(self, suppress_script: bool = False) -> None:
        over.set()

    def on_comm_print_job_failed(self, reason: str | None = None) -> None:
        sys.exit(f"OctoPrint failed: {reason}")


com = MachineCom(port, int(baud), Listener(), octoprint.printer.profile.PrinterProfileManager())
com.start()
if not ready.wait(60):
    sys.exit("OctoPrint did not connect")
com.selectFile(path, False)
time.sleep(SETTLE_S)
print("printing", flush=True)
com.startPrint()
over.wait()
print("done", flush=True)
sys.stdin.readline()
com.close()
