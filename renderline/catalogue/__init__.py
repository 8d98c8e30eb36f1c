"""Pick lists of the vendor, cached in Redis: avatars, workspaces, templates, projects.

A worker or the command line reads a list from the vendor, one process at a time; all processes share it.
"""

from renderline.catalogue.pick_lists import PICK_LISTS, PickList
from renderline.catalogue.refresh import ListUnavailable, Refresher
from renderline.catalogue.snapshot import Snapshot
from renderline.catalogue.store import CatalogueStore

__all__ = ["PICK_LISTS", "CatalogueStore", "ListUnavailable", "PickList", "Refresher", "Snapshot"]
