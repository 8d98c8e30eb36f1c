-- The sweep is done. ARGV: holder -> 1, 0 if its turn was over
if redis.call('GET', P .. 'sweep:lock') ~= ARGV[3] then return 0 end
return redis.call('DEL', P .. 'sweep:lock')
