-- Announce a vendor call. ARGV: id fence stage lease -> 1, 0 (claim lost)
local id, fence = ARGV[3], ARGV[4]
if in_doubt() or not mine(id, fence) then return 0 end
-- It was parked after its lease ended, but the holder of the claim is still running.
redis.call('ZREM', K.parked .. owner_of(id), id)
intend(id, ARGV[5])
hold(id, tonumber(ARGV[6]))
return 1
