-- Release a hook of a kind that this worker does not know; it counts as no delivery.
-- ARGV: id index fence retry_in note
-- -> for how many seconds no worker has known its kind, or '' if the claim was lost
local id, index, fence = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local h = 'h' .. index
if field(id, h .. ':fence') ~= fence or SETTLED[field(id, h)] then return '' end
redis.call('HINCRBY', render(id), h .. ':attempts', -1)
redis.call('HSETNX', render(id), h .. ':unknown_since', stamp(NOW))
set(id, h .. ':until', stamp(NOW + tonumber(ARGV[6]) - 0.25), h .. ':error', ARGV[7])
wake_hooks(id)
return stamp(NOW - tonumber(field(id, h .. ':unknown_since')))
