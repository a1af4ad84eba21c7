"""`python -m feedback.embedded`: the same as `manage.py up`, without loading Django first."""

import sys

from feedback.embedded.up import main

sys.exit(main())
