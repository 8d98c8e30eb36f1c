-- Take parked renders whose account may go on, by priority and age, as many as may be queued.
-- ARGV: limit known(accounts and APIs that the caller knows, such as main,v3:main; '': all) unknown_after
-- -> array of {id, priority}
local items = {}
for _, account in ipairs(redis.call('SMEMBERS', K.accounts)) do
  local most = tonumber(ARGV[3])
  if listed(ARGV[4], account) then
    for api in pairs(APIS) do
      local name = api .. ':' .. account
      local ids = waiting_for(account, api, listed(ARGV[4], name) and most or 1)
      if listed(ARGV[4], name) or abandoned(ids[1], 'api', name, tonumber(ARGV[5])) then
        each(ids, account, function(id) park(id, 'waits for its turn') end)
      end
    end
  else
    -- Left to workers that know it. If none has for long, they are sent one by one, to fail.
    local head = redis.call('ZRANGE', K.parked .. account, 0, 0)[1]
    most = abandoned(head, 'account', account, tonumber(ARGV[5])) and 1 or 0
    if most == 1 then each({head}, account, function(id) park(id, 'waits for its end') end) end
  end
  for _, item in ipairs(most > 0 and unpark(account, most) or {}) do table.insert(items, item) end
end
return items
