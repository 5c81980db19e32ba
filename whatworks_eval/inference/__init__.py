"""How unusual a change is: placebo units, clumps and intervals, shared by the methods."""
