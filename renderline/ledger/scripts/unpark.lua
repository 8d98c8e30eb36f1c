-- Take parked renders whose account may go on, in order of priority and age, as many as may stand in the queue.
-- ARGV: limit known(accounts that the caller knows, with commas between; '': all) unknown_after
-- -> array of {id, priority}
local items = {}
for _, account in ipairs(redis.call('SMEMBERS', P .. 'accounts')) do
  local most = tonumber(ARGV[3])
  if not listed(ARGV[4], account) then
    -- Left to those who know it. Where nobody has for long, one after the other is sent to its end.
    local head = redis.call('ZRANGE', P .. 'parked:' .. account, 0, 0)[1]
    local read, since = pcall(field, head or '', 'unknown_since')
    since = read and tonumber(since)
    most = since and NOW - since > tonumber(ARGV[5]) and not served('account', account) and 1 or 0
  end
  for _, item in ipairs(most > 0 and unpark(account, most) or {}) do table.insert(items, item) end
end
return items
