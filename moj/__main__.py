"""`python -m moj` is `moj`."""

import sys

from moj.cli import main

sys.exit(main())
