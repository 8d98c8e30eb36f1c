-- Release a claimed hook that was not called: this worker has no free thread for it, or its host is blocked.
-- ARGV: id index fence host('' for any: the worker has no free thread for hooks) -> array of {id, index} to be sent
local id, index, host = ARGV[3], ARGV[4], ARGV[6]
local h = 'h' .. index
if field(id, h .. ':fence') ~= ARGV[5] or SETTLED[field(id, h)] then return {} end
redis.call('HDEL', render(id), h .. ':until')
redis.call('HINCRBY', render(id), h .. ':attempts', -1)
hook_waits(id, index, host == '' and ANYWHERE or host)
wake_hooks(id)
-- The account's next hook may have another host. Without any free thread, the next hook is sent when one ends.
return host == '' and {} or next_of(field(id, 'account'), ANYWHERE, 1)
