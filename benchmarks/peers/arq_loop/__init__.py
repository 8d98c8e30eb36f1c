"""A render as one arq job: a coroutine that creates, polls at fixed intervals and calls the hook, on aiohttp."""
