-- Take parked renders whose account may go on, by priority and age, as many as may be queued.
-- ARGV: limit known(accounts and APIs that the caller knows, such as main,v3:main; '': all) unknown_after
-- -> array of {id, priority}
local items = {}
for _, account in ipairs(redis.call('SMEMBERS', K.accounts)) do
  local most = tonumber(ARGV[3])
  if listed(ARGV[4], account) then
    for api in pairs(APIS) do
      local name = api .. ':' .. account
      for _, owner in ipairs(owners_of(account)) do
        local ids = waiting_for(owner, api, listed(ARGV[4], name) and most or 1)
        if listed(ARGV[4], name) or abandoned(ids[1], 'api', name, tonumber(ARGV[5])) then
          each(ids, account, function(id) park(id, 'waits for its turn') end)
        end
      end
    end
  else
    -- Left to workers that know it. If none has for long, they are sent one by one, to fail.
    most = 0
    for _, owner in ipairs(owners_of(account)) do
      local head = redis.call('ZRANGE', K.parked .. owner, 0, 0)[1]
      if abandoned(head, 'account', account, tonumber(ARGV[5])) then
        most = 1
        each({head}, account, function(id) park(id, 'waits for its end') end)
      end
    end
  end
  for _, item in ipairs(most > 0 and unpark(account, most) or {}) do table.insert(items, item) end
end
return items
