"""Synthetic comparisons for one or few treated areas: weighted donors, placebo ranks and what to doubt."""
