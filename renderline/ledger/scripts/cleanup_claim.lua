-- Claim errands of an account: what takes a call to the vendor and no render waits for. Whoever does not settle them
-- leaves them to others after the lease. ARGV: errand account limit lease -> members
local account, errands = ARGV[4], P .. ARGV[3] .. ':' .. ARGV[4]
-- An errand is no probe: it waits until the vendor answers others.
if backoff_left(account) > 0 or circuit_open(account) then return {} end
local members = redis.call('ZRANGEBYSCORE', errands, '-inf', stamp(NOW), 'LIMIT', 0, ARGV[5])
for _, member in ipairs(members) do
  redis.call('ZADD', errands, stamp(NOW + tonumber(ARGV[6])), member)
end
return members
