"""The base of tests and benchmarks: real processes, real sockets, and waiting for a condition."""

from harness.hook_endpoint import HookEndpoint
from harness.http_call import call
from harness.ports import free_port
from harness.processes import Flower, Process, SandboxProcess, Server, Valkey, Worker
from harness.samples import AVATAR, HOOK_SECRET, ROOT, USER_KEY, a_request, example
from harness.waiting import until

__all__ = [
    "AVATAR",
    "HOOK_SECRET",
    "ROOT",
    "USER_KEY",
    "Flower",
    "HookEndpoint",
    "Process",
    "SandboxProcess",
    "Server",
    "Valkey",
    "Worker",
    "a_request",
    "call",
    "example",
    "free_port",
    "until",
]
