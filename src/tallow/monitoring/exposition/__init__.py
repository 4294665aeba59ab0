"""Exposition of metrics: text format, OpenMetrics, content negotiation, prometheus_client's collectors."""
