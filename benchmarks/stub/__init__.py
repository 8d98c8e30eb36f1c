"""A stand-in for the vendor's API and for hook receivers that costs next to nothing, so that it is never the bottleneck."""
