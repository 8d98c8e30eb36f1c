-- All renders are indexed and counted: show the totals of this generation. ARGV: generation, labels
-- -> 1, 0 (another run has begun since)
if redis.call('HGET', K.statistics, 'counted') ~= ARGV[3] then return 0 end
redis.call('HSET', K.statistics, 'shown', ARGV[3])
redis.call('HSET', K.indexed, '', '0')
for n = 4, #ARGV do redis.call('HSET', K.indexed, ARGV[n], '0') end
return 1
