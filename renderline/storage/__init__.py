"""Folders of any fsspec storage in which files appear whole or not at all: for downloads and for uploads."""

from renderline.storage.filesystem import open_filesystem
from renderline.storage.folder import Claim, Folder, NewFile, StoredFile

__all__ = ["Claim", "Folder", "NewFile", "StoredFile", "open_filesystem"]
