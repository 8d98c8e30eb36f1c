-- The sweep is done. ARGV: holder -> 1, 0 if its turn was over
if redis.call('GET', K.sweep_lock) ~= ARGV[3] then return 0 end
return redis.call('DEL', K.sweep_lock)
