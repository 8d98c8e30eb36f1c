"""The order of the test modules: those that take longest begin first, so that at the end no process works alone."""

from __future__ import annotations

from pathlib import PurePosixPath

LONGEST = (
    "integration/ledger/test_ledger_properties.py",
    "integration/polling/test_polling_late_vendor.py",
    "integration/gateway/test_gateway_fuzz_scopes.py",
    "integration/gateway/test_gateway_fuzz.py",
    "acceptance/test_broker_tls.py",
    "acceptance/test_cli_system.py",
    "acceptance/test_vendor_limits.py",
    "integration/ledger/test_ledger_clock_skew.py",
    "acceptance/faults/test_fault_crash_points.py",
    "acceptance/faults/test_fault_every_stage.py",
    "acceptance/test_docs_system.py",
    "acceptance/test_generated_videos.py",
    "acceptance/test_cancel_retry.py",
    "acceptance/test_from_project.py",
    "acceptance/test_files.py",
    "acceptance/faults/test_fault_shutdown.py",
    "acceptance/faults/test_fault_redis.py",
)
"""Below `tests`; the first takes longest. What takes less comes after these, folder by folder."""
FOLDERS = ("acceptance", "integration", "unit")


def place(path: PurePosixPath) -> tuple[int, int]:
    """Return what to sort a module below `tests` by: modules of one place stay in the order they were found in."""
    name = str(path)
    folder = path.parts[0]
    return (
        LONGEST.index(name) if name in LONGEST else len(LONGEST),
        FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS),
    )
