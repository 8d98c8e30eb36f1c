"""The loop of the vendor's samples: one blocking function per render, module-level `requests` calls, fixed 3 s polling."""
