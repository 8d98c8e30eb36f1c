"""The benchmarks: fault runs, and comparisons with other ways to do Renderline's work."""
