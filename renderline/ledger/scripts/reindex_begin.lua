-- Begin to count all renders anew. The totals so far are shown, and kept up, until that is done.
-- -> the new generation
local g = redis.call('HMGET', K.statistics, 'counted', 'shown')
redis.call('HSET', K.statistics, 'counted', (tonumber(g[1]) or 0) + 1, 'shown', g[2] or '0')
return (tonumber(g[1]) or 0) + 1
