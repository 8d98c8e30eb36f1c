-- Write down that a vendor call of this stage is about to be made. ARGV: id fence stage lease -> 1, 0 (claim lost)
local id, fence = ARGV[3], ARGV[4]
if not mine(id, fence) then return 0 end
local lease = tonumber(ARGV[6])
-- A webhook that came before this call says nothing about it.
redis.call('HDEL', render(id), 'hinted')
-- Parked after its lease had ended, and its holder is there after all.
redis.call('ZREM', P .. 'parked:' .. field(id, 'account'), id)
set(id, 'intent', ARGV[5], 'intent_at', stamp(NOW), 'lease_until', stamp(NOW + lease))
wake_at(id, NOW + lease + 1)
return 1
