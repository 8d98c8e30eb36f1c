"""`make attack`: hostile callers against the real system; each attack must be held off, with a figure."""
