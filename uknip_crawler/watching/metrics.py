"""A file for node_exporter's textfile collector (https://github.com/prometheus/node_exporter#textfile-collector).

Gauges alone, which read the same as OpenMetrics and as the older text format that node_exporter knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from uknip_crawler.errors import UknipError
from uknip_crawler.health.checks import CHECKS
from uknip_crawler.models import Outcome

METRICS: dict[str, str] = {
    "uknip_healthy": "1 when nothing is amiss, 0 when something is.",
    "uknip_finding": "1 for each check that finds something amiss, 0 for the others.",
    "uknip_articles": "Stories held.",
    "uknip_new_stories_day": "Stories published in the day before the file was written.",
    "uknip_last_story_timestamp_seconds": "When the newest story was published.",
    "uknip_last_run_timestamp_seconds": "When the newest crawl began.",
    "uknip_last_run_exit_status": "Its exit status.",
    "uknip_last_run_requests": "Requests it made.",
    "uknip_last_run_outcomes": "Addresses it visited, by outcome.",
    "uknip_captures_bytes": "Size of the WARC files.",
}
"""Name and meaning of each gauge; all have the label `site`."""


def write_metrics(path: Path, status: Mapping[str, Any]) -> None:
    """Write the file, whole or not at all. Raises UknipError without prometheus_client, OSError when it cannot be written."""
    try:
        from prometheus_client import CollectorRegistry, Gauge
        from prometheus_client.openmetrics.exposition import generate_latest
    except ImportError:
        raise UknipError(
            "prometheus-client is not installed: `uv tool install 'uknip[metrics]'`, or take it out of uknip.toml"
        ) from None
    registry = CollectorRegistry()
    labels = {"uknip_finding": ("check",), "uknip_last_run_outcomes": ("outcome",)}
    gauges = {
        name: Gauge(name, meaning, ("site", *labels.get(name, ())), registry=registry)
        for name, meaning in METRICS.items()
    }
    site = status["base_url"] or ""
    held = {one["name"] for one in status["findings"]}
    for check in CHECKS:
        gauges["uknip_finding"].labels(site, check).set(float(check in held))
    run = status["last_run"] or {}
    for outcome in Outcome:
        gauges["uknip_last_run_outcomes"].labels(site, outcome.value).set(
            run.get("outcomes", {}).get(outcome, 0)
        )
    single = {
        "uknip_healthy": float(status["verdict"] == "healthy"),
        "uknip_articles": status["articles"],
        "uknip_new_stories_day": status["stories_last_day"],
        "uknip_last_story_timestamp_seconds": _seconds(status["last_story_at"]),
        "uknip_last_run_timestamp_seconds": _seconds(run.get("started_at")),
        "uknip_last_run_exit_status": run.get("exit_status"),
        "uknip_last_run_requests": run.get("requests"),
        "uknip_captures_bytes": status["captures_bytes"],
    }
    for name, value in single.items():
        if value is not None:
            gauges[name].labels(site).set(value)
    partial = path.with_name(f".{path.name}.partial")  # the collector reads *.prom alone
    partial.write_bytes(generate_latest(registry))  # type: ignore[no-untyped-call]
    partial.chmod(0o644)
    partial.replace(path)


def _seconds(instant: str | None) -> float | None:
    return None if instant is None else datetime.fromisoformat(instant).timestamp()
