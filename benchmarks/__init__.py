"""What Renderline is measured by: fault runs and comparisons with other ways to do its work."""
