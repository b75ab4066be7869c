"""What handlers are made of: one concept a file."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
