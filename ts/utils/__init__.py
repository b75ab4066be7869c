"""Small pieces that the server, the handlers and the runner share."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)

from ts.utils import util

__all__ = ["util"]
