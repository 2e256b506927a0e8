"""Every bound of pidone in one place, each with its reason.

A bound protects memory, time or a person's eyes from hostile or broken input.  Standard library only.
"""

MESSAGE_BYTES = 256 * 1024
"""Largest ZeroMQ frame on 7401, 7402, 7404, 7405: a roster of 2,000 processes is about 160 KiB."""

ENROL_BYTES = 4 * 1024
"""Largest frame on the enrolment port, where unknown keys may speak: a token and names fit in 1 KiB."""

FRAMES = 8
"""Most frames of one message: envelope, topic, payload; more is refused at once."""

DEPTH = 8
"""Deepest nesting of a message: our deepest (reply, result, row, exit record, rusage) is 6."""

NAME_CHARS = 128
"""Longest program, group or agent name: one column of a terminal table."""

CONTROL_REQUEST_BYTES = 64 * 1024
"""Longest request line on the control socket: a start of 400 long names fits."""

CONTROL_REPLY_BYTES = 1024 * 1024
"""Longest reply line: the status of 1,000 processes is about 400 KiB."""

CONTROL_CLIENTS = 64
"""Most connections to the control socket; each may hold a request buffer."""

RING_BYTES = 16 * 1024
"""Ring behind `tail`, a stream: 200 lines, and 1,000 streams stay at 16 MiB."""

DRAIN_BYTES = 64 * 1024
"""Most bytes read from a dead process's pipe before its exit record is written: the default pipe size."""

LAST_LINES = 10
"""Lines of output in an exit record: what fits on a screen beside the rest of it."""

LAST_LINE_BYTES = 512
"""Longest of these lines."""

FACTS = 4096
"""Facts PID 1 keeps for replay: an hour of a program that crashes each second; about 4 MiB."""

FACTS_PER_MESSAGE = 64
"""Facts in one replay message: 64 exit records with full last lines stay below MESSAGE_BYTES (tests/wire shows it)."""

COMMAND_RESULTS = 256
"""Command ids with results that PID 1 remembers until their deadline, against a second execution."""

COMMAND_SECONDS = 3600.0
"""Longest deadline of a command."""
