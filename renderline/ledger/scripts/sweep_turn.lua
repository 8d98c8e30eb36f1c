-- Take or extend the sweep lock: one worker at a time, once in a period. Each turn notes that the ledger is alive; the
-- first one of a process after a gap has the accounts looked through.
-- ARGV: holder seconds period(milliseconds) seen(until when the caller knows that the ledger was alive, '': nothing)
-- gap(seconds without a turn after which accounts are looked through)
-- -> {1, 0 (another worker has the lock, or had it in this period) or -1 (the ledger is in doubt), until when the ledger
-- was alive}
local lock, had, seen = K.sweep_lock, K.sweep, tonumber(ARGV[6])
local lived = tonumber(redis.call('GET', K.lived))
if gone_back(seen) or in_doubt() then return {-1, stamp(seen or 0)} end
if lived and NOW - lived > tonumber(ARGV[7]) and lived > (seen or 0) then
  for _, account in ipairs(redis.call('SMEMBERS', K.accounts)) do redis.call('SADD', K.unchecked, account) end
end
redis.call('SET', K.lived, stamp(NOW))
local holder = redis.call('GET', lock)
if holder ~= ARGV[3] and (holder or redis.call('EXISTS', had) == 1) then return {0, stamp(NOW)} end
redis.call('SET', lock, ARGV[3], 'PX', math.ceil(tonumber(ARGV[4]) * 1000))
redis.call('SET', had, '1', 'PX', ARGV[5])
return {1, stamp(NOW)}
