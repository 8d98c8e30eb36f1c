-- Make one last poll due for renders past their deadline; expire those that it does not find done within the grace. A
-- handled render goes back into `deadline` with a later time, so it delays no other.
-- ARGV: limit -> {seen, expired ids, wakes {account, slot, ticket, delay}}
local expired, wakes, accounts = {}, {}, {}
local ids = redis.call('ZRANGEBYSCORE', K.deadline, '-inf', stamp(NOW), 'LIMIT', 0, tonumber(ARGV[3]))
each(ids, nil, function(id)
  local f = redis.call('HMGET', render(id), 'state', 'late_at', 'account', 'note', 'deadline')
  local late_at = tonumber(f[2])
  if f[1] ~= 'rendering' and f[1] ~= 'unconfirmed' then
    redis.call('ZREM', K.deadline, id)
  elseif late_at and NOW > late_at + GRACE then
    finish(id, 'expired')
    set_error(id, 'deadline', 'not ready within ' .. string.format('%.14g', tonumber(f[5]) or 0) .. ' s of its submission'
      .. (f[4] and f[4] ~= '' and ('; the last poll failed: ' .. f[4]) or ''), 'renderline')
    table.insert(expired, id)
  else
    if not late_at then
      redis.call('ZADD', K.due .. f[3], 'LT', stamp(NOW), id)
      accounts[f[3]] = true
      if retry_after_left(f[3]) > 0 then
        -- No poll comes during a backoff: the deadline still holds. While a circuit is open probes come, so a finished
        -- and paid render is not given up.
        late_at = NOW
        set(id, 'late_at', stamp(NOW))
      end
    end
    redis.call('ZADD', K.deadline, stamp(late_at and late_at + GRACE + 0.001 or NOW + GRACE), id)
  end
end, function(id) put_off(K.deadline, id) end)
for account in pairs(accounts) do
  local k = wake_pump(account, NOW)
  if k then table.insert(wakes, {account, k[1], k[2], k[3]}) end
end
return {#ids, expired, wakes}
