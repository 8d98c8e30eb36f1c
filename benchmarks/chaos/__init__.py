"""Renders on real processes while workers, broker, vendor and hook endpoints fail, and the figures of a run."""
