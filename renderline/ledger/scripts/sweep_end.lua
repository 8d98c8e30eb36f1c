-- Release the sweep lock. ARGV: holder whole('1': the sweep went through all of its parts) -> 1, 0 if it had expired
if redis.call('GET', K.sweep_lock) ~= ARGV[3] then return 0 end
if ARGV[4] == '1' then redis.call('SET', K.swept, stamp(NOW)) end
return redis.call('DEL', K.sweep_lock)
