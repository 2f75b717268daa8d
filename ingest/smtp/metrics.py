"""Metrics of one listener, beside those of its archive; needs prometheus-client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from prometheus_client import Metric

    from holdfast.ingest.smtp.pressure import Pressure
    from holdfast.ingest.smtp.tally import Tally


@dataclass(frozen=True, eq=False, slots=True)
class ListenerCollector:
    """Gives the metrics of one listener to a registry."""

    tally: Tally
    pressure: Pressure

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        tally = self.tally
        messages = CounterMetricFamily(
            "holdfast_smtp_messages", "Messages received, by answer.", labels=["answer"]
        )
        messages.add_metric(["kept"], tally.kept)
        messages.add_metric(["not_kept"], tally.not_kept)
        refused = CounterMetricFamily(
            "holdfast_smtp_refused", "Clients and messages refused, by cause.", labels=["cause"]
        )
        for cause, times in tally.refused.copy().items():
            refused.add_metric([cause], times)
        yield from (messages, refused)
        gauges = (
            ("connections", "Clients that are connected.", tally.connections),
            ("backlog", "Items that are sealed and not filed.", self.pressure.backlog),
            ("last_message_timestamp", "When the last was kept, Unix seconds.", tally.last_kept_at),
        )
        for name, text, value in gauges:
            yield GaugeMetricFamily(f"holdfast_smtp_{name}", text, value=value)
