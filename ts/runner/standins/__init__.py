"""What handlers import of torchserve, for where torchserve is not installed.

This folder is laid out as torchserve's package `ts`, and importing it puts it last on the paths of `ts` and of its
packages. So `import ts.context` finds torchserve's own module where there is one, and else `context.py` of this
folder, with those names of torchserve's that handlers import. The server has no stand-in: there is no
`ts.model_server`.
"""

from __future__ import annotations

from pathlib import Path

import ts
import ts.handler_utils

FOLDER = Path(__file__).parent

for package, folder in ((ts, FOLDER), (ts.handler_utils, FOLDER / "handler_utils")):
    package.__path__.append(str(folder))
