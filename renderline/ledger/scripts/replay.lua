-- Deliver a dead-lettered hook again from the start. ARGV: id index -> 1, 0 if it is not dead
local id, h = ARGV[3], 'h' .. ARGV[4]
if field(id, h) ~= 'dead' then return 0 end
redis.call('HDEL', render(id), h, h .. ':error', h .. ':attempts', h .. ':until', h .. ':late',
  h .. ':unknown_since')
set(id, h .. ':since', stamp(NOW))
-- An earlier delivery may still be running.
redis.call('HINCRBY', render(id), h .. ':fence', 1)
delist(K.dead_letters, id, id .. ':' .. ARGV[4])
if field(id, 'state') == 'undelivered' then transition(id, 'completed') end
resend_at(id, NOW + GRACE)
return 1
