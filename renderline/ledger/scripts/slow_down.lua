-- Record a 429: back off as long as the vendor asks, and lower the account's rate limit, at most once a second.
-- ARGV: account seconds
local SLOWEST = 4
local account, seconds = ARGV[3], tonumber(ARGV[4])
if seconds > 0 then back_off(account, seconds) end
local key = K.rate_limit .. account
if (tonumber(redis.call('HGET', key, 'slowed_at')) or 0) > NOW - 1 then return 0 end
local rate = rate_limit(account)
if not rate then
  -- The number of calls in the busier one of this second and the last.
  local calls = redis.call('HMGET', K.calls .. account, math.floor(NOW), math.floor(NOW) - 1)
  rate = math.max(tonumber(calls[1]) or 0, tonumber(calls[2]) or 0)
end
-- Never below SLOWEST: Retry-After handles lower limits, and a few stray 429s must not stop an account. The rate is
-- back after about three seconds.
local lower = math.max(SLOWEST, rate * 0.7)
redis.call('HSET', key, 'rate', lower, 'tokens', 0, 'at', stamp(NOW), 'slowed_at', stamp(NOW),
  'step', math.max(1, rate / 10))
return 1
