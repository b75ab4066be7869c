"""Sizes as people write them: 5000000, 500M, 20G."""

from __future__ import annotations

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def read_size(text: str) -> int:
    """The bytes of a size such as 5000000, 500M or 20G (units of 1024).

    Raises:
        ValueError: It is no such number, or below 1.
    """
    unit = UNITS.get(text[-1:].upper(), 0)
    digits = text[:-1] if unit else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18 and int(digits)):
        raise ValueError(f"{text!r} is no number of bytes, such as 5000000, 500M or 20G")
    return int(digits) * (unit or 1)
