"""Difference-in-differences on areas × periods panels: plain arrays in, estimates with their errors out."""
