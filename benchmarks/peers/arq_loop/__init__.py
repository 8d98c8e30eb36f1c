"""A render as one arq job: a coroutine that creates, looks at fixed intervals and calls the hook, on aiohttp."""
