-- Take stalled renders, to be sent again. Each wait is twice as long as the one before, so that a long queue does not
-- double again and again. Messages that are still queued, or wait for their turn, are not sent again.
-- ARGV: limit -> {seen, array of {id, state, priority}}
local items = {}
local ids = redis.call('ZRANGEBYSCORE', K.resend, '-inf', stamp(NOW), 'LIMIT', 0, tonumber(ARGV[3]))
each(ids, nil, function(id)
  local state, owner, account = field(id, 'state'), owner_of(id)
  if state == '' then
    drop_resend(id)
  elseif redis.call('ZSCORE', K.parked .. owner, id) then
    resend_at(id, NOW + GRACE * 10)
  elseif (state == 'accepted' or state == 'submitting') and is_queued(submit_lane(id), owner, id) then
    resend_at(id, NOW + GRACE)
  else
    local n = redis.call('HINCRBY', render(id), 'resends', 1)
    resend_at(id, NOW + GRACE * 2 ^ math.min(n, 5))
    if state == 'accepted' or state == 'submitting' then submission_queued(id, owner, account) end
    table.insert(items, {id, state, priority_of(id)})
  end
end, function(id) put_off(K.resend, id) end)
return {#ids, items}
