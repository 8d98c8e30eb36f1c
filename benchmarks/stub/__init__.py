"""A stand-in for the vendor's API and for hook receivers that costs next to nothing: never the bottleneck."""
