-- Submit an unconfirmed render again: an operator says that it was never started. ARGV: id
-- -> due (its submission is to be sent now), waits (for its turn), or '' if it is not unconfirmed
local id = ARGV[3]
if field(id, 'state') ~= 'unconfirmed' then return '' end
stop_polling(id)
drop_draft(id)
redis.call('HDEL', render(id), 'untouched', 'untouched_at', 'intent', 'deadline_at', 'webhook_hint', 'reported_url', 'webhook_done', 'webhook_poll_at')
-- The worker that made the call may still be running; its claim ends here.
redis.call('HINCRBY', render(id), 'fence', 1)
transition(id, 'submitting')
return admit_submission(id) and 'due' or 'waits'
