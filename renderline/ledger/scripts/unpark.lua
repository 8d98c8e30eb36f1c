-- Slots became free: take as many parked renders, in order of priority and age. ARGV: account limit('' none)
-- -> array of {id, priority}
local account, limit = ARGV[3], tonumber(ARGV[4])
local parked = P .. 'parked:' .. account
local free = limit and (limit - redis.call('SCARD', P .. 'slots:' .. account)) or 500
local items = {}
if free <= 0 then return items end
for _, id in ipairs(redis.call('ZRANGE', parked, 0, free - 1)) do
  redis.call('ZREM', parked, id)
  wake_at(id, NOW + GRACE)
  table.insert(items, {id, field(id, 'priority')})
end
return items
