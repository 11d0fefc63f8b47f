"""`python -m molcaption`."""

import sys

from molcaption.cli import main

sys.exit(main())
