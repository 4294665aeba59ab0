"""What a scrape reads: text format and OpenMetrics, content negotiation, foreign collectors."""
