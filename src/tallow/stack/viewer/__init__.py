"""The embedded dashboards: a page that draws the same JSON as Grafana, and a read-only way to Prometheus."""
