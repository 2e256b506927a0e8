"""A queue worker: takes jobs until USR1 (end after this job) or TERM; waits where the queue is not there yet."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from types import FrameType

NAME = f"worker {os.environ.get('WORKER', '?')}"
going = True


def end_soon(signum: int, frame: FrameType | None) -> None:
    global going
    going = False


def take(queue: sqlite3.Connection) -> tuple[int, str] | None:
    """The next job, claimed in one statement so that no two workers do it; None if there is none."""
    claim = (
        "update jobs set done_by = ? where id = (select min(id) from jobs where done_by is null) returning id, payload"
    )
    with queue:
        row: tuple[int, str] | None = queue.execute(claim, (NAME,)).fetchone()
    return row


def main() -> None:
    signal.signal(signal.SIGUSR1, end_soon)
    print(f"{NAME} is waiting", flush=True)
    while going:
        try:
            with closing(sqlite3.connect(os.environ["QUEUE"], timeout=5)) as queue:
                job = take(queue)
        except sqlite3.OperationalError:  # no table yet, or locked for too long
            job = None
        if job:
            print(f"{NAME} does {job[1]} (job {job[0]})", flush=True)
            time.sleep(0.2)  # as long as the work takes
        else:
            time.sleep(0.5)
    print(f"{NAME} ends between two jobs", flush=True)


if __name__ == "__main__":
    main()
