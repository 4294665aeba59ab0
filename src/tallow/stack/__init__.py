"""Monitoring as code: dashboards, alerts, routing, deployments, and the engines that run them."""
