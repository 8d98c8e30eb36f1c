-- Take or extend the sweep lock: one worker at a time, once in a period. Each turn notes that the ledger is alive; the
-- first one of a process after a gap has the accounts looked through.
-- ARGV: holder seconds period(milliseconds) seen(until when the caller knows that the ledger was alive, as a turn said it,
-- '': nothing)
-- gap(seconds without a turn after which accounts are looked through)
-- -> {1, 0 (another worker has the lock, or had it in this period) or -1 (the ledger is in doubt), until when the ledger
-- was alive}
local lock, had, seen = K.sweep_lock, K.sweep, ARGV[6]
local lived, set_back = life(redis.call('GET', K.lived))
if gone_back(seen) or in_doubt() then return {-1, seen} end
-- Workers that ran until it was last alive, or nearly, know that it did not go back: Redis was away, or its clock was set.
if lived and NOW - lived > tonumber(ARGV[7]) and lived > (life(seen) or 0) + BACK then
  if redis.call('EXISTS', K.unchecked) == 0 then redis.call('SET', K.gap, stamp(lived)) end
  for _, account in ipairs(redis.call('SMEMBERS', K.accounts)) do redis.call('SADD', K.unchecked, account) end
end
-- It goes on from there if the clock was set back; by less, it waits until then.
local alive = lived and lived - BACK <= NOW and math.max(NOW, lived) or NOW
if lived and alive < lived then set_back = set_back + 1 end
local now_seen = set_back > 0 and stamp(alive) .. ' ' .. set_back or stamp(alive)
redis.call('SET', K.lived, now_seen)
local holder = redis.call('GET', lock)
if holder ~= ARGV[3] and (holder or redis.call('EXISTS', had) == 1) then return {0, now_seen} end
redis.call('SET', lock, ARGV[3], 'PX', math.ceil(tonumber(ARGV[4]) * 1000))
redis.call('SET', had, '1', 'PX', ARGV[5])
return {1, now_seen}
