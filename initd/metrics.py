"""The metrics server: a child of PID 1 that answers scrapes over HTTP where `[initd] metrics=` asks for it.

Theory.  HTTP stays out of PID 1.  The child (initd.ctl.scrape) has one socketpair, over which it may ask what changes
nothing; it reads /proc itself, binds as PID 1's user and then gives up root.  Another address ends it and starts a new
one; no address, and there is none.
"""

from __future__ import annotations

from initd.companion import Companion
from initd.control import OBSERVE
from initd.prefix import command
from initd.replies import Carrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from initd.connection import Connection
    from initd.control import Control
    from initd.listener import Listener
    from initd.supervisor import Supervisor

MODULE = "initd.ctl.scrape"


class Metrics:
    """The child, if the configuration asks for one."""

    def __init__(self, supervisor: Supervisor, control: Control, listener: Listener) -> None:
        self._sup = supervisor
        self._control = control
        self._listener = listener
        self._address: str | None = None
        self._connection: Connection | None = None
        self.child: Companion | None = None

    def adopt(self, address: str | None) -> None:
        """Serve there from now on, or nowhere."""
        if address == self._address:
            return
        self._address = address
        if self.child is not None:
            self.child.stop()
            self.child = None
        if address is not None:
            self.child = Companion(self._sup, [*command(MODULE), address], {}, self._attach, "metrics server")
            self.child.start()

    def _attach(self, sock: socket.socket) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._listener.adopt(sock, lambda: Carrier("metrics", self._control.may[OBSERVE]))
