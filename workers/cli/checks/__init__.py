"""The checks of `renderline doctor`, one module for each part of a deployment."""
