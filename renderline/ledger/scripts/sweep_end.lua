-- Release the sweep lock. ARGV: holder -> 1, 0 if it had expired
if redis.call('GET', K.sweep_lock) ~= ARGV[3] then return 0 end
return redis.call('DEL', K.sweep_lock)
