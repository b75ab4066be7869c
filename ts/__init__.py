"""torchserve-handlers' part of the package `ts`; modules that it lacks are torchserve's, where installed."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)

HANDLERS_VERSION = "0.1.0"

try:
    from ts.version import __version__  # torchserve's
except ImportError:
    __version__ = HANDLERS_VERSION

from ts.idle_threads import limit_spinning  # noqa: E402 (`__path__` comes first)
from ts.overlay import pass_on  # noqa: E402

limit_spinning()  # here, since TorchServe's worker imports this package before torch
pass_on()  # here, since TorchServe's launcher imports this package before it starts anything
