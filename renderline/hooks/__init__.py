"""What happens when a render ends: hooks of several kinds, each delivered at least once."""

from renderline.hooks.celery_task import CeleryHook
from renderline.hooks.download import DownloadHook, FreshLink
from renderline.hooks.http import HttpHook
from renderline.hooks.kind import (
    FINAL_EVENTS,
    Delivery,
    HookFailed,
    HookKind,
    endpoint_of,
    host_of,
    missing_part,
    problem_of,
)
from renderline.hooks.registry import load_kinds

__all__ = [
    "FINAL_EVENTS",
    "CeleryHook",
    "Delivery",
    "DownloadHook",
    "FreshLink",
    "HookFailed",
    "HookKind",
    "HttpHook",
    "endpoint_of",
    "host_of",
    "load_kinds",
    "missing_part",
    "problem_of",
]
