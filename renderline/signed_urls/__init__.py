"""URLs that Renderline signs: those of the vendor's webhooks, and links to stored files."""
