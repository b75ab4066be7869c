"""From a fresh machine to a real network's answers about real photos.

Makes `.venv/` in the repository's root, installs the project there, and goes on in it with `tour.py`.
Needs nothing but Python 3.9 or newer; a second run takes seconds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.environment import Environment
from examples.steps import StepFailedError


def main() -> int:
    """Bring the environment up to date, then run the tour in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--serve", action="store_true", help="go on to a real TorchServe, until Ctrl-C")
    serve = parser.parse_args().serve
    environment = Environment()
    try:
        environment.ensure(extras=["server"] if serve else [])
        return environment.execute(Path(__file__).with_name("tour.py"), ["--serve"] if serve else [])
    except StepFailedError as error:
        print(f"{error.tail()}\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
