-- Take or extend the sweep lock: one worker at a time, once in a period. ARGV: holder seconds period(milliseconds)
-- -> 1, 0 (another worker has the lock, or had it in this period)
local lock, had = K.sweep_lock, K.sweep
local holder = redis.call('GET', lock)
if holder ~= ARGV[3] and (holder or redis.call('EXISTS', had) == 1) then return 0 end
redis.call('SET', lock, ARGV[3], 'PX', math.ceil(tonumber(ARGV[4]) * 1000))
redis.call('SET', had, '1', 'PX', ARGV[5])
return 1
