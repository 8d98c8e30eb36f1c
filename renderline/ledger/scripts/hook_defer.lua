-- Release a claimed hook that was not called: this worker has no free thread for it, or its host is blocked.
-- ARGV: id index fence host('' for any: the worker has no free thread for hooks, or none for this tenant's)
-- busy(tenants for which this worker has no free thread, separated by commas) -> array of {id, index} to be sent
local id, index, host = ARGV[3], ARGV[4], ARGV[6]
local h = 'h' .. index
if field(id, h .. ':fence') ~= ARGV[5] or SETTLED[field(id, h)] then return {} end
redis.call('HDEL', render(id), h .. ':until')
redis.call('HINCRBY', render(id), h .. ':attempts', -1)
hook_waits(id, index, host == '' and ANYWHERE or host)
wake_hooks(id)
-- The owner's next hook may have another host. A thread that its tenant may not have is free for others. Without any
-- free thread, the next hook is sent when one ends.
if host ~= '' then return next_of(owner_of(id), ANYWHERE, 1) end
return ARGV[7] ~= '' and take_hooks(1, ARGV[7]) or {}
