"""HTTP as archives need it: bytes as they lie on the server, proxies of the environment, and no way out of TLS."""

from __future__ import annotations

import ssl
from typing import Any, Callable
from urllib.parse import urljoin

from ts.runner.errors import ArchiveError
from ts.runner.fetching.reference import is_open, without_credentials

CONNECT_SECONDS = 30
SILENCE_SECONDS = 60  # between two pieces; aiohttp's own limit, 300 s for all, is too little for large files


def session_maker(*, may_leave_tls: bool) -> Callable[..., Any]:
    """What HTTPFileSystem takes as `get_client`.

    Args:
        may_leave_tls: Whether a server may redirect to http://.
    """
    import aiohttp  # for these schemes only

    async def make(**settings: Any) -> aiohttp.ClientSession:
        tracing = aiohttp.TraceConfig()
        if not may_leave_tls:
            tracing.on_request_redirect.append(refuse_open_target)
        headers = {"Accept-Encoding": "identity", **settings.pop("headers", {})}
        ours: dict[str, Any] = {
            "timeout": aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
            "auto_decompress": False,  # a .tar.gz is no tar that was compressed for the way
            "trust_env": True,
            "trace_configs": [tracing],
        }
        if "connector" not in settings:  # aiohttp's own trusts what SSL_CERT_FILE named when it was imported
            ours["connector"] = aiohttp.TCPConnector(ssl=ssl.create_default_context())
        return aiohttp.ClientSession(headers=headers, **{**ours, **settings})

    return make


async def refuse_open_target(_session: Any, _context: Any, redirect: Any) -> None:
    target = urljoin(str(redirect.url), redirect.response.headers.get("Location", ""))
    if is_open(target):
        source = without_credentials(str(redirect.url))
        raise ArchiveError(
            f"{source} leads to {without_credentials(target)}, a way on which anybody can exchange an archive,"
            " which holds code: pin it with @sha256:DIGEST"
        )
