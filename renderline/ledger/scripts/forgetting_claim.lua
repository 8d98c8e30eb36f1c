-- Claim forgotten renders of which something outside the ledger is left. Those that are not done by the end of the lease
-- are due again. ARGV: limit lease -> ids
local ids = redis.call('ZRANGEBYSCORE', K.forgetting, '-inf', stamp(NOW), 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do redis.call('ZADD', K.forgetting, stamp(NOW + tonumber(ARGV[4])), id) end
return ids
