-- Take what has stood still too long, to be re-sent. Each re-sending waits twice as long as the one before, so that
-- a long queue is not doubled again and again. ARGV: limit -> {seen, array of {id, state, priority}}
local items = {}
local ids = redis.call('ZRANGEBYSCORE', P .. 'wake', '-inf', stamp(NOW), 'LIMIT', 0, tonumber(ARGV[3]))
each(ids, nil, function(id)
  local state = field(id, 'state')
  if state == '' then
    rest(id)
  else
    local n = redis.call('HINCRBY', render(id), 'resends', 1)
    wake_at(id, NOW + GRACE * 2 ^ math.min(n, 5))
    table.insert(items, {id, state, priority_of(id)})
  end
end)
return {#ids, items}
