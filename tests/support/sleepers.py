"""A crowd: so many tiny real processes below one, a tenth of which works a little; compiled where it is needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = r"""
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void work(void)
{
    static volatile char block[65536];
    struct timespec pause = { 0, 100000000 };
    for (;;) {
        for (int round = 0; round < 20; round++)
            for (unsigned at = 0; at < sizeof block; at += 64)
                block[at]++;
        nanosleep(&pause, 0);
    }
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 1;
    for (int one = 0; one < count; one++)
        if (fork() == 0) {
            if (one % 10 == 0)
                work();
            for (;;)
                pause();
        }
    while (wait(0) > 0)
        ;
    return 0;
}
"""


def crowd(folder: Path) -> Path:
    """The program; `crowd N` has N children.  They end with their leader's process group."""
    source, made = folder / "crowd.c", folder / "crowd"
    source.write_text(SOURCE)
    compiler = shutil.which("musl-gcc") or "gcc"
    subprocess.run([compiler, "-O1", "-static", "-o", made, source], check=True)
    return made
