-- End a run of a pump, and schedule its next one. ARGV: account slot ticket limit gather least
-- -> {delay, ticket} or {} to retire
local account, slot, ticket, limit = ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local key = pump(account)
if redis.call('HGET', key, slot .. ':ticket') ~= ticket then return {} end
local due = K.due .. account
local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local needed = #first > 0
if needed and slot > 0 then
  -- A further slot is needed only for a backlog, and only if another slot carries on.
  needed = redis.call('ZCOUNT', due, '-inf', stamp(NOW)) > slot * limit
  if not needed and not redis.call('HGET', key, '0:at') and not redis.call('HGET', key, '0:busy') then needed = true end
end
if not needed then
  redis.call('HDEL', key, slot .. ':at', slot .. ':busy')
  return {}
end
-- When a whole batch is due, or the first render has been due for `gather` seconds.
local at = tonumber(first[2]) + tonumber(ARGV[7])
local last = redis.call('ZRANGE', due, limit - 1, limit - 1, 'WITHSCORES')
if #last > 0 then at = math.min(at, tonumber(last[2])) end
at = math.max(at, NOW + tonumber(ARGV[8]), NOW + backoff_left(account), in_doubt() and NOW + GRACE / 3 or 0)
local rate, tokens = rate_limit(account)
if rate and tokens < 1 then at = math.max(at, NOW + (1 - tokens) / rate) end
local next_ticket = redis.call('HINCRBY', key, slot .. ':ticket', 1)
redis.call('HDEL', key, slot .. ':busy')
redis.call('HSET', key, slot .. ':at', stamp(at))
return {stamp(at - NOW), tostring(next_ticket)}
