"""Numbers about a design, with units and intervals and no opinion: what the rules judge."""
