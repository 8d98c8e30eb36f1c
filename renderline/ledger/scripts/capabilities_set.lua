-- Announce a worker's capabilities. ARGV: any number of names such as account:main and hook:http -> 1
for i = 3, #ARGV do redis.call('ZADD', K.capabilities, stamp(NOW), ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', K.capabilities, '-inf', stamp(NOW - 10 * ALIVE_FOR))
-- If Redis was emptied under running workers, it gets the present schema.
redis.call('SET', K.schema, SCHEMA, 'NX')
return 1
