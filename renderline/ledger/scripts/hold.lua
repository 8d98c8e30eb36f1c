-- Hold a render back from its submission. ARGV: id by reason
-- -> the state that it was in ('held': it was held already), '' for an unknown render; it is held if it was accepted
local id = ARGV[3]
local state = field(id, 'state')
if state ~= 'accepted' then return state end
-- Neither a place in the queue nor one among the parked renders is kept for it.
submission_dequeued(id)
redis.call('ZREM', K.parked .. owner_of(id), id)
drop_resend(id)
leave_slot(id)
redis.call('HDEL', render(id), 'note', 'resends', 'unknown_since')
set(id, 'state', HELD, 'held_at', stamp(NOW), 'held_by', ARGV[4], 'held_reason', ARGV[5])
enlist(K.held, id, id)
publish_event(id, 'accepted')
return state
