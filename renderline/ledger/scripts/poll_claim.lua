-- Claim a batch of due renders of an account under a lease. ARGV: account slot ticket limit lease
-- -> {status, now, items, wake, webhooks_alive}; an item is {id, epoch, values of POLL_FIELDS}
local account, slot, ticket = ARGV[3], ARGV[4], ARGV[5]
local limit, lease = tonumber(ARGV[6]), tonumber(ARGV[7])
local key = pump(account)
if redis.call('HGET', key, slot .. ':ticket') ~= ticket then return {'stale', stamp(NOW), {}, false, ''} end
redis.call('HDEL', key, slot .. ':at')
redis.call('HSET', key, slot .. ':busy', stamp(NOW + lease))
if in_doubt() or backoff_left(account) > 0 then return {'backoff', stamp(NOW), {}, false, ''} end
local due = K.due .. account
local items = {}
local ids = redis.call('ZRANGEBYSCORE', due, '-inf', stamp(NOW), 'LIMIT', 0, limit)
local known = {}
each(ids, account, function(id) known[#known + 1] = id end, function(id) put_off(due, id) end)
local full = #ids == limit
ids = known
local room = #ids
if room > 0 then room = probes(account, lease) and 1 or admit(account, room) end
each({unpack(ids, 1, room)}, account, function(id)
  local state = field(id, 'state')
  if state == 'rendering' or state == 'unconfirmed' then
    local epoch = redis.call('HINCRBY', render(id), 'epoch', 1)
    -- Time of the first poll after the deadline; the sweep lets it end.
    if NOW >= (tonumber(field(id, 'deadline_at')) or math.huge) then
      if redis.call('HSETNX', render(id), 'late_at', stamp(NOW)) == 1 then
        redis.call('ZADD', K.deadline, 'XX', stamp(NOW + GRACE + 0.001), id)
      end
    end
    redis.call('ZADD', due, stamp(NOW + lease), id)
    set(id, 'polling_until', stamp(NOW + lease))
    table.insert(items, {id, epoch, unpack(redis.call('HMGET', render(id), POLL_FIELDS))})
  else
    redis.call('ZREM', due, id)
  end
end)
local more = false
if full and room == #ids then
  local first = redis.call('ZRANGEBYSCORE', due, '-inf', stamp(NOW), 'LIMIT', 0, 1)
  if #first > 0 then more = wake_pump(account, NOW) end
end
return {'yours', stamp(NOW), items, more, webhooks_alive(account)}
