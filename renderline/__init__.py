"""Renderline: render requests in, finished AI Studios videos and delivered hooks out."""
