"""The one-shot before everything else: makes the queue's table, and does nothing where it is there."""

import os
import sqlite3

with sqlite3.connect(os.environ["QUEUE"]) as queue:
    queue.execute("create table if not exists jobs (id integer primary key, payload text, done_by text)")
    queue.execute("insert into jobs (payload) values ('the first job')")
print("the queue is ready")
