"""The loop of the vendor's samples: a blocking function per render, plain `requests` calls, fixed 3 s polling."""
