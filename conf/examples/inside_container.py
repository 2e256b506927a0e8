#!/usr/bin/env python3
"""Inside a container: shows its processes, or has one restarted:  inside_container.py [NAME]

Needs pyzmq and msgpack only, nothing of pidone; docs/protocol.md describes the messages.  Run it as root (or as the
group of [initd] socket_group) in a container whose initd has joined a hub:
    docker exec web-1 python3 inside_container.py
"""

import sys
import uuid

import msgpack
import zmq

socket = zmq.Context().socket(zmq.REQ)
socket.setsockopt(zmq.LINGER, 0)
socket.setsockopt(zmq.RCVTIMEO, 2000)
socket.connect("ipc:///run/initd/command")
op, args = ("restart", {"names": sys.argv[1:]}) if len(sys.argv) > 1 else ("status", {})
socket.send(msgpack.packb({"v": 1, "t": "query", "id": uuid.uuid4().hex, "op": op, "args": args}))
answer = msgpack.unpackb(socket.recv())
if answer["t"] == "refused":
    sys.exit(f"{answer['code']}: {answer['message']}")
print(answer["result"])
