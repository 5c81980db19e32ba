"""Choosing comparison areas on what was known beforehand: no room here sees an after-window count."""
