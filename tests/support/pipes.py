"""A run of a program without a process: its pipes, already read by an Output."""

from __future__ import annotations

from initd.config.records import Program
from initd.logs.desk import Pipes
from initd.output import Output
from tests.support.estate import owned


def opened(output: Output, program: Program) -> Pipes:
    """The pipes; the test writes to the child's ends and calls `spawned` when that child is gone."""
    pipes = output.open(program)
    owned(*{pipes.stdout_w, pipes.stderr_w})
    output.attach(program, pipes)
    return pipes
