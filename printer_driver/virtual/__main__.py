"""`python -m printer_driver.virtual` runs a virtual printer for any host program."""

import sys

from printer_driver.virtual.pty_printer import main

sys.exit(main())
