"""Counters, gauges and their text."""

from __future__ import annotations

import pytest

from hub.monitor.metrics import METRICS, SERIES, Metrics


def test_counters_add_up_and_gauges_are_set() -> None:
    metrics = Metrics()
    metrics.count("pidone_samples_total", by=3)
    metrics.count("pidone_samples_total")
    metrics.set("pidone_store_queue", 7)
    metrics.set("pidone_store_queue", 2)
    assert (metrics.value("pidone_samples_total"), metrics.value("pidone_store_queue")) == (4, 2)


def test_the_text_escapes_labels() -> None:
    metrics = Metrics()
    metrics.set("pidone_engine_up", 1, 'a"b\\c\nd')
    assert metrics.render() == (
        "# TYPE pidone_engine_up gauge\n"
        "# HELP pidone_engine_up 1 while the Docker engine answers, else 0.\n"
        'pidone_engine_up{engine="a\\"b\\\\c\\nd"} 1\n'
    )


def test_what_is_not_declared_is_refused() -> None:
    metrics = Metrics()
    with pytest.raises(KeyError):
        metrics.count("pidone_typo")
    with pytest.raises(ValueError):
        metrics.count("pidone_store_queue")
    with pytest.raises(ValueError):
        metrics.set("pidone_engine_up", 1)


def test_labels_from_peers_are_bounded() -> None:
    metrics = Metrics()
    for number in range(SERIES + 50):
        metrics.count("pidone_messages_total", f"type {number}")
    assert metrics.value("pidone_messages_total", "other") == 50


def test_every_counter_is_named_as_one() -> None:
    assert all(metric.name.endswith("_total") == (metric.kind == "counter") for metric in METRICS)
