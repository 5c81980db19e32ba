"""The offence categories police.uk has published under, whatever the month."""

from __future__ import annotations

# The fourteen names in every file from 2016-07 on (reference/data_notes.md, 10) …
TODAY = (
    "Anti-social behaviour",
    "Bicycle theft",
    "Burglary",
    "Criminal damage and arson",
    "Drugs",
    "Other crime",
    "Other theft",
    "Possession of weapons",
    "Public order",
    "Robbery",
    "Shoplifting",
    "Theft from the person",
    "Vehicle crime",
    "Violence and sexual offences",
)
# … and those that only older files have: a file with one of them belongs to the older lists.
OLDER = ("Violent crime", "Public disorder and weapons")
