"""The composition root: builds one process's use cases from its settings, a module for each subject."""
