"""Why an engine could not be asked: one exception and one sentence, out of four libraries' families of errors.

Theory.  requests wraps urllib3, which wraps http.client, ssl or socket, by `__cause__`, `__context__`, `reason` or
inside `args`.  What a person needs is the innermost system or TLS error, and what the hub needs is whether the request
may have reached the engine.
"""

from __future__ import annotations

import errno
import ssl

from hub.engines.values import text

CURES = {
    errno.ECONNREFUSED: " (nothing listens there: is the engine running, is url right?)",
    errno.ENOENT: " (no socket there: is the engine running, is url right, is the socket mounted?)",
    errno.EACCES: " (may the hub's user open the socket? its group is missing: docker run --group-add)",
}
"""What usually helps, by errno."""

_HANGS_UP = (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError)


class EngineError(Exception):
    """The engine could not be asked or did not answer as it should; the text is one sentence for people.

    `status` is its HTTP status where it answered with an error; `sent` says whether the request may have reached it.
    """

    def __init__(self, message: str, status: int = 0, sent: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.sent = sent


def _causes(error: BaseException) -> list[BaseException]:
    """The error and everything under it: requests wraps urllib3, which wraps ssl or socket, partly in `args`."""
    chain: list[BaseException] = []
    queue: list[object] = [error]
    while queue and len(chain) < 20:
        one = queue.pop(0)
        if isinstance(one, BaseException) and one not in chain:
            chain.append(one)
            queue += [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]
    return chain


def _named(error: BaseException, *names: str) -> bool:
    return any(type(one).__name__ in names for one in _causes(error))


def never_sent(error: BaseException) -> bool:
    """Whether the connection never came to be, so that the request cannot have had an effect."""
    refused = (ConnectionRefusedError, FileNotFoundError, PermissionError, ssl.SSLCertVerificationError)
    return _named(error, "ConnectTimeout", "ConnectTimeoutError", "NewConnectionError") or any(
        isinstance(one, refused) for one in _causes(error)
    )


def silent(error: BaseException) -> bool:
    """Whether nothing more happened than that no byte came in time."""
    return _named(error, "ReadTimeoutError", "ReadTimeout", "TimeoutError")


def reason(error: BaseException, secured: bool = False) -> str:
    """One sentence on why the engine could not be asked: the innermost system or TLS error, with the usual cure.

    `secured`: this is the first request over TLS.  Since TLS 1.3 ends the client's handshake before the server has
    looked at the certificate, a refusal is met as an alert, a reset or an end of file, by chance.
    """
    chain = _causes(error)
    verify = next((one for one in chain if isinstance(one, ssl.SSLCertVerificationError)), None)
    if verify:
        return f"TLS: its certificate is not accepted: {verify.verify_message} (wrong tls_ca, or another host answers)"
    if secured and any(isinstance(one, _HANGS_UP) or "ALERT" in str(getattr(one, "reason", "")) for one in chain):
        return "TLS: it does not accept our certificate (tls_cert, tls_key)"
    tls = next((one for one in chain if isinstance(one, ssl.SSLError) and one.reason), None)
    if tls:
        return f"TLS: {text(str(tls.reason), 80).lower().replace('_', ' ')} (see tls_cert and tls_key)"
    if _named(error, "ConnectTimeout", "ConnectTimeoutError"):
        return "no answer to the connection attempt in time"
    if silent(error):
        return "no answer in time"
    system = next((one for one in chain if isinstance(one, OSError) and one.errno and one.strerror), None)
    if system:
        return text(str(system.strerror), 120).lower() + CURES.get(system.errno or 0, "")
    return text(f"{type(chain[-1]).__name__}: {chain[-1]}", 200)
