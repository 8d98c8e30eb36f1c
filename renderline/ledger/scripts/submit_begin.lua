-- Claim a submission. ARGV: id lease -> {'yours', fence, fields, meta, body} or {quiet|busy|over, seconds}
local id, lease = ARGV[3], tonumber(ARGV[4])
local state = field(id, 'state')
if state == 'accepted' or state == 'submitting' then
  -- The vendor asked this account to wait: no attempt, and nothing that the sweep need hurry about.
  if redis.call('SISMEMBER', P .. 'paused', field(id, 'account')) == 1 then
    wake_at(id, NOW + GRACE * 2)
    return {'paused', '0'}
  end
  local quiet = tonumber(redis.call('GET', P .. 'quiet:' .. field(id, 'account'))) or 0
  if quiet > NOW then
    wake_at(id, quiet + GRACE)
    return {'quiet', stamp(quiet - NOW)}
  end
end
if state == 'accepted' then
  move(id, 'submitting')
elseif state == 'submitting' then
  local until_ = tonumber(field(id, 'lease_until')) or 0
  if until_ > NOW then return {'busy', stamp(until_ - NOW)} end
else
  return {'over', '0'}
end
local fence = redis.call('HINCRBY', render(id), 'fence', 1)
redis.call('HINCRBY', render(id), 'attempts', 1)
set(id, 'lease_until', stamp(NOW + lease))
wake_at(id, NOW + lease + 1)
return {'yours', tostring(fence), redis.call('HGETALL', render(id)), redis.call('GET', P .. 'meta:' .. id),
  redis.call('GET', P .. 'body:' .. id)}
