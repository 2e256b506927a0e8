#!/usr/bin/env python3
"""Lists every process of the fleet, then restarts one:  list_and_restart.py [AGENT/PROGRAM]

Needs the package pidone and a client key, which the hub's admin makes with `hubctl keys create NAME --role operator`.
"""

import os
import sys

from wire.client import Client, WireError

KEY = os.environ.get("PIDONE_CLIENT_KEY", "/var/lib/pidone/client/admin.json")

try:
    with Client(KEY, timeout=5.0) as hub:
        for row in hub.ps():
            print(f"{row['agent_name']}/{row['process']}  {row['state']}  {row['age']:.1f} s ago")
        if len(sys.argv) > 1:
            done = hub.wait(hub.command(sys.argv[1], "restart", ttl=30.0), seconds=30.0)
            print("restarted:", done["id"], done["state"])
except (WireError, OSError, ValueError) as error:
    sys.exit(f"list_and_restart: {error}")
