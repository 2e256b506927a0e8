"""Writes docs/metrics.md from the tables of families and of the hub's own metrics: `python3 docs/make_metrics.py`."""

from __future__ import annotations

# ruff: noqa: E501 - lines of the page
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hub.monitor.exposition import LINES
from hub.monitor.families import FAMILIES, LABELS
from hub.monitor.metrics import METRICS, SERIES
from wire.limits import METRICS_CLIENTS
from wire.openmetrics import SUFFIX

TARGET = Path(__file__).with_name("metrics.md")

HEAD = f"""\
# Metrics of the hub

Made by docs/make_metrics.py. Off unless the hub's configuration names an address:

    [hubd]
    metrics = 127.0.0.1:9464
    metrics_token_file = /run/secrets/metrics_token     # Authorization: Bearer ...; read anew for each scrape
    metrics_cert = ...                                  # https; with metrics_client_ca a scraper shows a certificate
    metrics_key = ...
    metrics_client_ca = ...

GET /metrics speaks OpenMetrics 1.0 to who accepts it and the older text format 0.0.4 to others. It has a thread of its own,
serves {METRICS_CLIENTS} clients at a time, and cuts off who does not ask or read in time; the text is made by the hub's loop a little at each
pass, and who asks again within a second gets the same. A scrape has at most {LINES} samples: beyond, agents and containers are left
out and counted by `pidone_scrape_left_out`. An agent of ten programs has about 200 samples.

conf/prometheus has a scrape configuration and recording rules, conf/grafana a dashboard of both. `hubctl metrics` prints the
hub's own metrics.

What is unknown or stale has no sample. Labels of deployments (service, image, version) stand in the `_info` families only:

    sum by (service) (pidone_program_cpu_cores * on (agent_id) group_left (service) pidone_agent_info)

## The fleet

"""


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join([*fleet(), "## The hub itself\n", *own()]) + "\n"


def fleet() -> Iterator[str]:
    """The families, by what they are of."""
    for of, labels in LABELS.items():
        yield f"### {of}: {', '.join(f'`{label}`' for label in labels)}\n"
        yield "| metric | type | meaning |"
        yield "|---|---|---|"
        for one in FAMILIES:
            if one.of == of:
                yield f"| `{one.name}{SUFFIX.get(one.kind, '')}` | {one.kind} | {one.help} |"
        yield ""


def own() -> Iterator[str]:
    """The hub's own."""
    yield "| metric | type | labels | meaning |"
    yield "|---|---|---|---|"
    for one in METRICS:
        yield f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {one.help} |"
    yield f"\nEach has at most {SERIES} combinations of labels; what is beyond is counted under `other`."


if __name__ == "__main__":
    TARGET.write_text(page())
