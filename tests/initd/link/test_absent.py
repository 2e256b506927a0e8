from __future__ import annotations

import subprocess
import sys

IMPORTS = """
import sys
from initd.link.absent import CONVENIENCES, without
with without(*CONVENIENCES):
    import zmq
before = set(sys.modules)
with zmq.Context() as context, context.socket(zmq.PAIR) as socket:
    socket.bind("inproc://here")
import json
print(*sorted(before & {*CONVENIENCES, "asyncio"}), json.dumps(["real"]))
"""

KEPT = """
import json, sys
from initd.link.absent import without
with without("json"):
    import json as inside
print(inside is json is sys.modules["json"])
"""


def said(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def test_zmq_works_without_its_conveniences_and_the_real_ones_come_when_wanted() -> None:
    assert said(IMPORTS) == '["real"]'


def test_what_was_there_stays() -> None:
    assert said(KEPT) == "True"
