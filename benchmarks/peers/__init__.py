"""Other ways to do what Renderline does, written as their competent users would."""
