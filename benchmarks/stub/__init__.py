"""A stand-in for the vendor's API and for hook endpoints that costs next to nothing: never the bottleneck."""
