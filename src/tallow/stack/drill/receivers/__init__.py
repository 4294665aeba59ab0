"""Test receivers of notifications: SMTP, Slack and PagerDuty, as strict as the real services."""
