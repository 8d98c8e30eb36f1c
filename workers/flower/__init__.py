"""Pages about renders inside Flower, at its own `/renders`; `install.py` says how they get there."""
