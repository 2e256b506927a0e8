"""Sampling 500 processes each second costs link at most half of what process-exporter takes for the same columns.

In full 500 tiny processes, a tenth of which works a little, live under one initd (as root PID 1 of a namespace), with
process-exporter 0.7.10 (Debian's, -threads=false -gather-smaps=false, a group for each process) among them.  Both look
at the same /proc at the same time: a hub's feed is watched, so that link samples each second over CURVE, and the
exporter is scraped each second.  Counted is the CPU time of link with its helper, sending included, and of the
exporter; the claim holds if link takes at most half, and a sample came each second with every column of every process.

About 75 s; the quick form has 60 processes for 3 s.  With the fault switched on, link samples twenty times a
second.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import zmq

from tests.support.livehub import LiveHub
from tests.support.pid1 import Pid1
from tests.support.ports import free_ports
from tests.support.procfs import command_line, descendants, status
from tests.support.sleepers import crowd
from tests.support.waiting import until
from wire.model import PROCESS_COLUMNS

COUNT, SECONDS = 500, 60.0
QUICK_COUNT, QUICK_SECONDS = 60, 3.0
LIMIT = 0.5
"""Link's CPU as a share of the exporter's."""

SAMPLES = 0.9
"""Samples a second that must arrive: the loop of a busy machine may be late."""

ROOT = Path(__file__).parents[2]
EXPORTER = "prometheus-process-exporter"
GROUPS = 'process_names:\n  - name: "{{.PID}}"\n    cmdline: [".+"]\n'
TICK = os.sysconf("SC_CLK_TCK")


def need_exporter() -> str:
    """Its path, installed where that can be done."""
    if not shutil.which(EXPORTER):
        subprocess.run([ROOT / "script/prepare", "packages", EXPORTER], check=True)
    return shutil.which(EXPORTER) or sys.exit(f"script/prove sampling needs {EXPORTER}: script/prepare peers")


def hasty(folder: Path) -> Path:
    """The fault: a copy of initd whose link samples as often as it can, twenty times a second."""
    for package in ("initd", "wire"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    agent = folder / "initd/link/agent.py"
    text = agent.read_text()
    for honest, faulty in (("self._looked_at + self.session.pace - self.loop.now()", "0.05"),
                           ("SOON, LEAST = 0.05, 0.5", "SOON, LEAST = 0.05, 0.05")):  # fmt: skip
        assert honest in text
        text = text.replace(honest, faulty)
    agent.write_text(text)
    return folder


class Scraper(threading.Thread):
    """Scrapes the exporter each second until told to stop."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.stopping, self.scrapes, self.text = threading.Event(), 0, ""

    def scrape(self) -> bool:
        """Once; whether there was an answer."""
        try:
            self.client.request("GET", "/metrics")
            self.text = self.client.getresponse().read().decode()
        except OSError:
            self.client.close()
            return False
        self.scrapes += 1
        return True

    def run(self) -> None:
        due = time.monotonic()
        while not self.stopping.wait(max(0.0, due - time.monotonic())):
            self.scrape()
            due += 1.0

    def groups(self) -> int:
        """Processes in the last answer."""
        return len(re.findall(r"^namedprocess_namegroup_num_procs\{[^}]*\} 1$", self.text, re.MULTILINE))


def cpu(pid: int) -> float:
    """CPU seconds of a process and its living children (link's helper); of its dead children by ticks."""
    total = 0.0
    for one in (pid, *descendants(pid)):
        for task in Path(f"/proc/{one}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0]) / 1e9
        total += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[13:15])) / TICK
    return total


class Seen:
    """What came over the hub's feed: samples, and how many processes the last one told every figure of."""

    def __init__(self, hub: LiveHub) -> None:
        self.client, self.times, self.complete = hub.user("watcher", "viewer"), list[float](), 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(zmq.ZMQError):  # the hub's end is this one's
            for item in self.client.feed(["sample/"]):
                columns = [array(c.code, item.body["processes"][c.name]) for c in PROCESS_COLUMNS]
                self.complete = sum(all(value == value for value in row) for row in zip(*columns, strict=True))
                self.times.append(time.monotonic())

    @property
    def is_watched(self) -> bool:
        """Whether link samples as often as for a watched agent."""
        return len(self.times) > 1 and self.times[-1] - self.times[-2] < 1.5

    def since(self, begun: float) -> int:
        """Samples since then."""
        return sum(at >= begun for at in self.times)


def programs(folder: Path, count: int, port: int) -> str:
    """The container's file."""
    (folder / "groups.yml").write_text(GROUPS)
    exporter = f"{need_exporter()} -threads=false -gather-smaps=false -config.path {folder}/groups.yml"
    return (
        f"[program:crowd]\ncommand={crowd(folder)} {count}\nstopasgroup=true\n"
        f"[program:exporter]\ncommand={exporter} -web.listen-address 127.0.0.1:{port}\n"
    )


@contextmanager
def running(count: int, mutate: bool) -> Iterator[tuple[Seen, Pid1, Scraper]]:
    """What a hub sees of an initd with the crowd and the exporter, this initd, and a scraper."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sampling-")))
        for name in ("hub", "box", "site"):
            (folder / name).mkdir()
        hub = LiveHub(folder / "hub", period=1.0, sample_period=5.0)
        stack.callback(hub.stop)
        seen = Seen(hub.start())
        [port] = free_ports(1)
        site = hasty(folder / "site") if mutate else ROOT
        launcher = (sys.executable, "-IS", str(site / "initd/prefix.py"), "initd")
        environ = {"PIDONE_JOIN": hub.join().format()}
        text = programs(folder / "box", count, port)
        box = Pid1(folder / "box", text, namespace=os.geteuid() == 0, env=environ, launcher=launcher)
        stack.callback(box.destroy)
        yield seen, box, Scraper(port)


def find(box: Pid1, mark: str) -> int:
    """The process below initd with this in its command line."""
    return until(lambda: next((pid for pid in box.children() if mark in command_line(pid)), 0), what=mark)


def measure(count: int, seconds: float, mutate: bool) -> dict[str, float]:
    """Both beside each other for so long."""
    with running(count, mutate) as (seen, box, scraper):
        until(scraper.scrape, what="the exporter answers")
        link, exporter = find(box, "initd.link"), find(box, EXPORTER)
        until(lambda: seen.is_watched and seen.complete >= count, 60, "a sample of all processes each second")
        scraper.start()
        begun, before, scraped = time.monotonic(), (cpu(link), cpu(exporter)), scraper.scrapes
        time.sleep(seconds)
        took = time.monotonic() - begun
        ours, theirs = cpu(link) - before[0], cpu(exporter) - before[1]
        samples, scrapes = seen.since(begun), scraper.scrapes - scraped
        scraper.stopping.set()
        scraper.join()
        return {
            "processes": count,
            "seconds_measured": round(took, 1),
            "samples": samples,
            "scrapes": scrapes,
            "complete_in_sample": seen.complete,
            "groups_in_scrape": scraper.groups(),
            "link_ms_per_second": round(ours / took * 1000, 2),
            "exporter_ms_per_second": round(theirs / took * 1000, 2),
            "link_rss_mib": round(int(status(link, "VmRSS").split()[0]) / 1024, 1),
            "exporter_rss_mib": round(int(status(exporter, "VmRSS").split()[0]) / 1024, 1),
            "ratio": round(ours / theirs, 3) if theirs else 999.0,
        }


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim held."""
    count, seconds = (QUICK_COUNT, QUICK_SECONDS) if quick else (COUNT, SECONDS)
    found = measure(count, seconds, mutate)
    enough = min(found["samples"], found["scrapes"]) >= SAMPLES * seconds - 1
    whole = min(found["complete_in_sample"], found["groups_in_scrape"]) >= count
    return {**found, "limit": LIMIT}, found["ratio"] <= LIMIT and enough and whole
