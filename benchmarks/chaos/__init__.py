"""Renders through real processes while workers, the broker, the vendor and the receiver fail; ends with the figures."""
