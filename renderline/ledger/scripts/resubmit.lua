-- An operator says that an unconfirmed render was never started. ARGV: id -> 1, 0 if it is not unconfirmed
local id = ARGV[3]
if field(id, 'state') ~= 'unconfirmed' then return 0 end
unfollow(id)
forget_draft(id)
redis.call('HDEL', render(id), 'untouched', 'untouched_at', 'intent', 'deadline_at', 'hinted', 'hinted_url', 'told')
-- Who made the call before may still be there; its claim is over.
redis.call('HINCRBY', render(id), 'fence', 1)
move(id, 'submitting')
wake_at(id, NOW + GRACE)
return 1
