"""The documentation as a site, and what its pages say about the code."""
