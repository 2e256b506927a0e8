"""What cron runs each minute: three jobs more."""

import os
import sqlite3

with sqlite3.connect(os.environ["QUEUE"], timeout=10) as queue:
    queue.executemany("insert into jobs (payload) values (?)", [("mail",), ("invoice",), ("report",)])
print("three more jobs")
