"""torchserve-handlers' part of the package `ts`; modules that it lacks are torchserve's, where installed."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)

HANDLERS_VERSION = "0.1.0"

try:
    from ts.version import __version__  # torchserve's
except ImportError:
    __version__ = HANDLERS_VERSION
