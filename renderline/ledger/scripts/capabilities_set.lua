-- A worker says what it can serve. ARGV: any number of names such as account:main and hook:http -> 1
for i = 3, #ARGV do redis.call('ZADD', P .. 'served', stamp(NOW), ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', P .. 'served', '-inf', stamp(NOW - 10 * ALIVE_FOR))
return 1
