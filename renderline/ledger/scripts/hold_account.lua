-- The vendor refuses to render for an account (no credit): its submissions wait, and one is attempted now and then.
-- ARGV: account seconds(between attempts) reason -> 1 if this is new
local key = K.hold .. ARGV[3]
redis.call('HSET', key, 'until', stamp(NOW + tonumber(ARGV[4])), 'reason', ARGV[5])
redis.call('SADD', K.accounts, ARGV[3])
return redis.call('HSETNX', key, 'since', stamp(NOW))
