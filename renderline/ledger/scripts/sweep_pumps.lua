-- Start the pumps of accounts with due polls and no running pump.
-- ARGV: accounts -> array of {account, slot, ticket, delay}
local wakes = {}
for n = 3, #ARGV do
  local account = ARGV[n]
  -- Call counts of past seconds are no longer needed.
  if redis.call('HLEN', K.calls .. account) > 120 then redis.call('DEL', K.calls .. account) end
  local first = redis.call('ZRANGE', K.due .. account, 0, 0, 'WITHSCORES')
  if #first > 0 then
    local at = math.max(NOW + backoff_left(account), tonumber(first[2]))
    local alive = false
    for slot = 0, SLOTS - 1 do
      local p = redis.call('HMGET', pump(account), slot .. ':at', slot .. ':busy')
      local sleeps, busy = tonumber(p[1]), tonumber(p[2])
      if (sleeps and NOW < sleeps + GRACE) or (busy and NOW < busy) then alive = true end
    end
    if not alive then
      local k = wake_pump(account, at)
      if k then table.insert(wakes, {account, k[1], k[2], k[3]}) end
    end
  end
end
return wakes
