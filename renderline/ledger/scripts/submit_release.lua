-- Release a submission until a retry in retry_in seconds. ARGV: id fence retry_in note keep_intent failed park
local id, fence = ARGV[3], ARGV[4]
if not mine(id, fence) then return 0 end
redis.call('HDEL', render(id), 'lease_until')
if ARGV[7] ~= '1' then redis.call('HDEL', render(id), 'intent') end
if ARGV[8] == '1' then redis.call('HINCRBY', render(id), 'failures', 1) end
-- Between two paid stages it keeps its slot: the vendor is not done with it.
if field(id, 'deadline_at') == '' then leave_slot(id) end
if ARGV[9] == '1' then
  park(id, ARGV[6])
  return 1
end
set(id, 'note', ARGV[6])
resend_at(id, NOW + tonumber(ARGV[5]) + GRACE)
return 1
