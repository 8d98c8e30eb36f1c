-- Claim a batch of due renders of an account under a lease. ARGV: account slot ticket limit lease
-- -> {verdict, now, items, kick}; an item is {id, epoch, kind, state, project_id, polls, progress, progress_at, since,
--    deadline_at, faults, untouched, untouched_at, baseline, intent_at}
local account, slot, ticket = ARGV[3], ARGV[4], ARGV[5]
local limit, lease = tonumber(ARGV[6]), tonumber(ARGV[7])
local key = pump(account)
if redis.call('HGET', key, slot .. ':ticket') ~= ticket then return {'stale', stamp(NOW), {}, false} end
redis.call('HDEL', key, slot .. ':at')
redis.call('HSET', key, slot .. ':busy', stamp(NOW + lease))
local quiet = tonumber(redis.call('GET', P .. 'quiet:' .. account))
if quiet and quiet > NOW then return {'quiet', stamp(NOW), {}, false} end
local due = P .. 'due:' .. account
local items = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', stamp(NOW), 'LIMIT', 0, limit)) do
  local state = field(id, 'state')
  if state == 'rendering' or state == 'unconfirmed' then
    local epoch = redis.call('HINCRBY', render(id), 'epoch', 1)
    set(id, 'looked_at', stamp(NOW))
    redis.call('ZADD', due, stamp(NOW + lease), id)
    local f = redis.call('HMGET', render(id), 'kind', 'state', 'project_id', 'polls', 'progress', 'progress_at',
      't:' .. state, 'deadline_at', 'faults', 'untouched', 'untouched_at', 'baseline', 'intent_at')
    table.insert(items, {id, epoch, unpack(f)})
  else
    redis.call('ZREM', due, id)
  end
end
local more = false
if #items == limit then
  local first = redis.call('ZRANGEBYSCORE', due, '-inf', stamp(NOW), 'LIMIT', 0, 1)
  if #first > 0 then more = kick(account, NOW) end
end
return {'yours', stamp(NOW), items, more}
