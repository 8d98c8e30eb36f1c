-- Take parked renders whose account may go on, in order of priority and age.
-- ARGV: limit -> array of {id, priority}
local items = {}
for _, account in ipairs(redis.call('SMEMBERS', P .. 'accounts')) do
  local slots = tonumber(redis.call('HGET', P .. 'limits', account))
  local parked = P .. 'parked:' .. account
  if redis.call('EXISTS', parked) == 1 and quiet_left(account) == 0
      and redis.call('SISMEMBER', P .. 'paused', account) == 0 then
    local free = tonumber(ARGV[3])
    local room = slots and slots - redis.call('SCARD', P .. 'slots:' .. account) or math.huge
    local rate, tokens = pace(account)
    if rate then free = math.min(free, math.floor(tokens / 2)) end
    if circuit_open(account) then free = math.min(free, 1) end
    if free > 0 then
      for _, id in ipairs(redis.call('ZRANGE', parked, 0, free - 1)) do
        if redis.call('SISMEMBER', P .. 'slots:' .. account, id) == 0 then room = room - 1 end
        if room < 0 then break end
        each({id}, account, function()
          local priority = priority_of(id)
          redis.call('ZREM', parked, id)
          wake_at(id, NOW + GRACE)
          table.insert(items, {id, priority})
        end)
      end
    end
  end
end
return items
