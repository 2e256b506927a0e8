"""`socket` for PID 1: the C half and the little that PID 1 needs around it, without enum, selectors and collections.

The Python half makes enumerations of the constants, which costs a megabyte and 6 ms.  What is missing here are files,
timeouts of accept and conversions; `socket.AF_UNIX` and its kin are plain numbers.
"""

from __future__ import annotations

__all__ = ["socket"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    import socket
else:
    import _socket

    class Socket(_socket.socket):
        """Closed by `with`; accepts its own kind."""

        __slots__ = ()

        def __enter__(self) -> Socket:
            return self

        def __exit__(self, *error: object) -> None:
            self.close()

        def accept(self) -> tuple[Socket, object]:
            """The connection and the peer's address.  Raises OSError."""
            fd, peer = self._accept()
            return Socket(self.family, self.type, self.proto, fileno=fd), peer

    def socketpair(
        family: int = _socket.AF_UNIX, kind: int = _socket.SOCK_STREAM, protocol: int = 0
    ) -> tuple[Socket, ...]:
        """Both ends of a connection.  Raises OSError."""
        ends = _socket.socketpair(family, kind, protocol)
        return tuple(Socket(family, kind, protocol, end.detach()) for end in ends)

    socket = type(_socket)("socket")
    socket.__dict__.update({name: part for name, part in vars(_socket).items() if not name.startswith("_")})
    socket.socket, socket.socketpair = Socket, socketpair
