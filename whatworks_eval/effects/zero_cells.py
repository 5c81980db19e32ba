"""A half added to every count, only where it is asked for: what it does, and never in silence."""

from __future__ import annotations

Four = tuple[float, float, float, float]
HALF = 0.5
SAID = "0.5 added to each of the four counts, since one of them is zero and the protocol asks for it"


def add_half(four: Four) -> Four:
    """The four counts with a half added to each where one of them is zero; otherwise as they are.

    The customary correction (Haldane; Anscombe). It pulls the ratio towards no change, and with counts this
    small it decides the answer: say that it was done.

    Example:
        >>> add_half((0, 3, 10, 12)), add_half((1, 3, 10, 12))
        ((0.5, 3.5, 10.5, 12.5), (1, 3, 10, 12))
    """
    if min(four) > 0:
        return four
    first, second, third, fourth = (count + HALF for count in four)
    return first, second, third, fourth
