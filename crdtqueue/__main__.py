"""`python -m crdtqueue` is `crdtqueue`."""

import sys

from crdtqueue.cli.main import main

sys.exit(main())
