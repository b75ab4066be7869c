"""`python -m ts.runner` is `torch-model-runner`."""

from __future__ import annotations

import sys

from ts.runner.main import main

sys.exit(main())
