"""Where a hub is: the one record that every list of hubs is made of.  Declared as in wire.messages."""

from typing import Annotated, NamedTuple

from wire.shapes import Text, shape_of


class HubAddress(NamedTuple):
    """Where one hub listens and by which key it is known."""

    command: Annotated[str, Text(300), "", "host:port for requests and commands (7401)"]
    samples: Annotated[str, Text(300), "", "host:port for samples and live events (7402)"]
    enrol: Annotated[str, Text(300), "", "host:port for enrolment (7403)"]
    key: Annotated[str, Text(40), "z85", "CURVE public key of the ports 7401 and 7402"]


HUB = shape_of(HubAddress)
