"""Bounded HTTP for all outgoing calls: limits of total time, header size and addresses.

The vendor's client and the hooks use it; it imports nothing of ours.
"""

from renderline.http.address import host_and_port, host_matches, is_private_literal, origin, url_fault
from renderline.http.client import Client, PrivateAddress
from renderline.http.exchange import DeadlineExceeded, Exchange, boottime, prolong, running, sent_by
from renderline.http.failure import causes, describe
from renderline.http.page_check import PageCheck, PageFinding
from renderline.http.retry_after import parse_retry_after

__all__ = [
    "Client",
    "DeadlineExceeded",
    "Exchange",
    "PageCheck",
    "PageFinding",
    "PrivateAddress",
    "boottime",
    "causes",
    "describe",
    "host_and_port",
    "host_matches",
    "is_private_literal",
    "origin",
    "parse_retry_after",
    "prolong",
    "running",
    "sent_by",
    "url_fault",
]
