"""`python -m whatworks_eval` is `whatworks`."""

from whatworks_eval.cli import main

main()
