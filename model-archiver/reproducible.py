"""Times that make two runs write the same bytes.

`SOURCE_DATE_EPOCH` is the convention of https://reproducible-builds.org/specs/source-date-epoch/. What is deflated
also depends on the zlib that Python was built with (zlib-ng, say, finds other matches); what is stored does not.
"""

from __future__ import annotations

import os
import time

from .model_archiver_error import ModelArchiverError

# What the timestamps of a zip file can hold (APPNOTE.TXT 4.4.6, MS-DOS format), in seconds since 1970, UTC.
EARLIEST = 315532800  # 1980-01-01 00:00:00
LATEST = 4354819198  # 2107-12-31 23:59:58


def source_date_epoch() -> int | None:
    """Returns `SOURCE_DATE_EPOCH` in seconds since 1970, None where it is not set.

    Raises:
        ModelArchiverError: It is set to something that is no such number.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    try:
        seconds = int(text)
        time.gmtime(seconds)
    except (ValueError, OverflowError, OSError):
        raise ModelArchiverError(f"SOURCE_DATE_EPOCH is {text!r}, which is no number of seconds") from None
    return seconds


def member_time() -> int:
    """Returns the modification time that every member gets, in seconds since 1970; never the clock's."""
    return min(max(source_date_epoch() or EARLIEST, EARLIEST), LATEST)


def creation_time() -> str:
    """Returns `dd/mm/YYYY HH:MM:SS`: `SOURCE_DATE_EPOCH` in UTC where it is set, else the local time now."""
    seconds = source_date_epoch()
    moment = time.localtime() if seconds is None else time.gmtime(seconds)
    return time.strftime("%d/%m/%Y %H:%M:%S", moment)
