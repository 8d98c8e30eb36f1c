"""The board: pages for people at `/`, rendered on the server, with a session that an API key begins."""

from renderline.gateway.board.setup import install

__all__ = ["install"]
