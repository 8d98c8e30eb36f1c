-- Renders past their deadline get one more look at once; those looked at since (or whose vendor stays away) expire.
-- ARGV: limit -> {expired ids, kicks {account, slot, ticket, delay}}
local expired, kicks = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'deadline', '-inf', stamp(NOW), 'LIMIT', 0, tonumber(ARGV[3]))) do
  local state = field(id, 'state')
  local deadline = tonumber(field(id, 'deadline_at')) or 0
  if state ~= 'rendering' and state ~= 'unconfirmed' then
    redis.call('ZREM', P .. 'deadline', id)
  elseif (tonumber(field(id, 'looked_at')) or 0) > deadline + GRACE then
    finish(id, 'expired')
    local note = field(id, 'note')
    set_error(id, 'deadline', 'not ready within ' .. field(id, 'deadline') .. ' s of its submission'
      .. (note ~= '' and ('; the last look failed: ' .. note) or ''), 'renderline')
    table.insert(expired, id)
  else
    local account = field(id, 'account')
    if (tonumber(field(id, 'looked_at')) or 0) < deadline then
      redis.call('ZADD', P .. 'due:' .. account, 'LT', stamp(NOW), id)
      local k = kick(account, NOW)
      if k then table.insert(kicks, {account, k[1], k[2], k[3]}) end
    end
  end
end
return {expired, kicks}
