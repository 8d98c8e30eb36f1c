-- Take parked renders whose account may go on, in order of priority and age, as many as may stand in the queue.
-- ARGV: limit -> array of {id, priority}
local items = {}
for _, account in ipairs(redis.call('SMEMBERS', P .. 'accounts')) do
  for _, item in ipairs(unpark(account, tonumber(ARGV[3]))) do table.insert(items, item) end
end
return items
