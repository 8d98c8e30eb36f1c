"""A stand-in for the vendor's API and for hook endpoints. It costs so little that it is never the bottleneck."""
