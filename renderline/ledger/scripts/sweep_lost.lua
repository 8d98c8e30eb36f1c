-- Forget lost messages, so that they are sent again: those sent before the oldest one that is still in the queue.
-- Messages taken just now are spared, since they begin in a moment.
-- ARGV: JSON object, by lane the member of the oldest message in its queue; none for an empty queue
local oldest, before = cjson.decode(ARGV[3]), {}
for _, entry in ipairs(redis.call('SMEMBERS', K.lanes)) do
  local lane, owner = string.match(entry, '^(%S+) (.*)$')
  if not before[lane] then
    before[lane] = stamp(NOW - GRACE)
    if oldest[lane] then
      local of = owner_of(string.match(oldest[lane], '^[^:]*'))
      -- The ledger did not send it, so it proves nothing about the others.
      local sent = tonumber(redis.call('ZSCORE', queued(lane, of), oldest[lane])) or 0
      if sent <= NOW - GRACE then before[lane] = '(' .. stamp(sent) end
    end
  end
  redis.call('ZREMRANGEBYSCORE', queued(lane, owner), '-inf', before[lane])
  if redis.call('EXISTS', queued(lane, owner)) == 0 then redis.call('SREM', K.lanes, entry) end
end
return 1
