"""Link's loop: sources, deadlines, signals, and its alarm against hangs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import zmq

from initd.link.loop import Loop

ROOT = Path(__file__).parents[3]
HANG = """
import time, sys
sys.path.insert(0, sys.argv[1])
from initd.link import loop
loop.HANG_SECONDS = 1
one = loop.Loop()
one.at(one.now(), lambda: time.sleep(60))
one.run()
"""


def test_a_descriptor_and_a_zeromq_socket_are_served(loop: Loop, context: Any, turning: Any) -> None:
    heard: list[bytes] = []
    ours, theirs = socket.socketpair()
    pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    pull.bind("inproc://x")
    push.connect("inproc://x")
    loop.watch(ours, lambda: heard.append(ours.recv(10)))
    loop.watch(pull, lambda: heard.append(pull.recv()))
    theirs.send(b"fd")
    push.send(b"zmq")
    turning(lambda: len(heard) == 2)
    assert sorted(heard) == [b"fd", b"zmq"]
    ours.close()
    theirs.close()


def test_what_is_forgotten_is_not_called(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    loop.watch(ours, lambda: 1 / 0)
    theirs.send(b"x")
    loop.forget(ours)
    loop.at(loop.now(), lambda: None)
    loop.turn()
    ours.close()
    theirs.close()


def test_deadlines_come_in_order_and_can_be_cancelled(loop: Loop, turning: Any) -> None:
    heard: list[str] = []
    now = loop.now()
    loop.at(now + 0.02, lambda: heard.append("second"))
    loop.at(now + 0.01, lambda: heard.append("first"))
    loop.at(now + 0.005, lambda: heard.append("never")).cancel()
    turning(lambda: len(heard) == 2)
    assert heard == ["first", "second"]


def test_a_signal_is_served_in_the_loop(loop: Loop, turning: Any) -> None:
    heard: list[str] = []
    before = signal.getsignal(signal.SIGUSR1)
    loop.on_signal(signal.SIGUSR1, lambda: heard.append("usr1"))
    os.kill(os.getpid(), signal.SIGUSR1)
    turning(lambda: heard)
    signal.signal(signal.SIGUSR1, before)
    assert heard == ["usr1"]


def test_a_turn_that_hangs_is_ended_by_the_alarm() -> None:
    done = subprocess.run([sys.executable, "-c", HANG, ROOT], timeout=30)
    assert done.returncode == -signal.SIGALRM


def test_run_ends(loop: Loop) -> None:
    loop.at(loop.now(), loop.end)
    loop.run()
    assert signal.alarm(0) == 0
