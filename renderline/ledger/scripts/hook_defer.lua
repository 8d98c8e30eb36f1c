-- A claimed hook has no place in this worker, or its host is not to be called: it was not tried, and waits.
-- ARGV: id index fence host('' for any: the worker has no place for hooks at all) -> array of {id, index} to be sent
local id, index, host = ARGV[3], ARGV[4], ARGV[6]
local h = 'h' .. index
if field(id, h .. ':fence') ~= ARGV[5] or SETTLED[field(id, h)] then return {} end
redis.call('HDEL', render(id), h .. ':until')
redis.call('HINCRBY', render(id), h .. ':attempts', -1)
hook_waits(id, index, host == '' and ANYWHERE or host)
wake_hooks(id)
-- The owner's next one may go elsewhere; where there is no place at all, one that ends lets the next one follow.
return host == '' and {} or next_of(field(id, 'account'), ANYWHERE, 1)
