-- Renders past their deadline get one more look at once; those that it did not find done within the grace expire.
-- ARGV: limit -> {expired ids, kicks {account, slot, ticket, delay}}
local expired, kicks = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'deadline', '-inf', stamp(NOW), 'LIMIT', 0, tonumber(ARGV[3]))) do
  local state = field(id, 'state')
  local late_at = tonumber(field(id, 'late_at'))
  if state ~= 'rendering' and state ~= 'unconfirmed' then
    redis.call('ZREM', P .. 'deadline', id)
  elseif late_at and NOW > late_at + GRACE then
    local note = field(id, 'note')
    finish(id, 'expired')
    set_error(id, 'deadline', 'not ready within ' .. string.format('%.14g', tonumber(field(id, 'deadline'))) .. ' s of its submission'
      .. (note ~= '' and ('; the last look failed: ' .. note) or ''), 'renderline')
    table.insert(expired, id)
  elseif not late_at then
    local account = field(id, 'account')
    redis.call('ZADD', P .. 'due:' .. account, 'LT', stamp(NOW), id)
    local k = kick(account, NOW)
    if k then table.insert(kicks, {account, k[1], k[2], k[3]}) end
  end
end
return {expired, kicks}
